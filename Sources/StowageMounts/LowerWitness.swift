// SPDX-License-Identifier: Apache-2.0

import StowageFiles
import StowageModel
import StowageSystem
import SystemPackage

/// Remembers which directories the lower paths of a mount lead to, so that a mount of others is noticed.
///
/// The store's locks keep other programs that follow the protocol from replacing a layer while it is mounted. Nothing keeps
/// the owner of an additional image store on a network file system from doing so (store-semantics 27.3.1.4). The
/// descriptors are kept open: the inode number of a deleted directory could be used again otherwise.
struct LowerWitness {
  private let lowers: [(path: FilePath, descriptor: SharedDescriptor, status: FileStatus)]

  /// Opens the directories.
  init(_ mount: OverlayMount) throws(Errno) {
    var lowers: [(path: FilePath, descriptor: SharedDescriptor, status: FileStatus)] = []
    for path in mount.allLowers {
      let descriptor = SharedDescriptor(try Syscall.open(path, [.path, .directory]))
      lowers.append((path, descriptor, try Syscall.fstat(descriptor.rawValue)))
    }
    self.lowers = lowers
  }

  /// The first path that now leads elsewhere.
  func replaced() -> FilePath? {
    lowers.first { lower in
      guard let now = try? Syscall.stat(lower.path) else { return true }
      return !now.isSameFile(as: lower.status)
    }?.path
  }
}
