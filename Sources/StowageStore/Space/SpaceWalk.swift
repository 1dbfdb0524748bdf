// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// The space that files take, by what they belong to, counted as `du` does: allocated blocks, a file with several names once,
/// what reflinks share as if it were not shared.
struct SpaceWalk: Sendable {
  /// Files whose names belong to the same owners, several of them, or are not all here.
  struct LinkedFiles: Sendable {
    /// Whose names they have: positions in ``SpaceOwners/all``, each once, the first found first.
    let owners: [Int]
    /// Whether they have names elsewhere, so that their space stays whatever goes here.
    let areHeldElsewhere: Bool
    /// Allocated bytes.
    let bytes: Int64
  }

  /// A file with several names.
  private struct File: Sendable {
    let bytes: Int64
    var owners: [Int]
    /// How many of its names were found, and how many it has.
    var (found, links): (UInt64, UInt64)
  }

  private struct Sharing: Hashable {
    let owners: [Int]
    let areHeldElsewhere: Bool
  }

  private struct Identity: Hashable {
    let device: UInt64
    let inode: UInt64
  }

  private let owners: SpaceOwners
  /// Bytes by position of the owner in ``SpaceOwners/all``, without ``linked``.
  private(set) var bytes: [Int64]
  /// Files that belong to several owners or have names elsewhere; complete after ``finish()``.
  private(set) var linked: [LinkedFiles] = []
  private var files: [Identity: File] = [:]

  init(_ owners: SpaceOwners) {
    self.owners = owners
    bytes = Array(repeating: 0, count: owners.all.count)
  }

  /// Adds a root with all that is in it. Symbolic links are not followed, but for the root itself; another file system mounted
  /// inside is left out. Needs no lock: what vanishes meanwhile is not counted.
  ///
  /// - Returns: the bytes that this root adds.
  /// - Throws: `system` if something cannot be looked at.
  mutating func add(_ root: FilePath) throws(StorageError) -> Int64 {
    let status: FileStatus
    do throws(Errno) { status = try Syscall.stat(root) } catch .noSuchFileOrDirectory { return 0 } catch {
      throw .failed("stat", root, error)
    }
    var total = count(status, for: 0)
    // One element for each directory the walk is in: its device, its owner, and the owners stated in it.
    var levels = [(device: status.device, owner: 0, named: owners.owners(in: root))]
    let (owners, nearest) = (owners, owners.depth - root.components.count)
    try walkTree(at: root) { (entry) throws(StorageError) in
      // Directories that vanish before they are entered are visited and never left.
      levels.removeLast(max(0, levels.count - 1 - entry.path.count(where: { $0 == 0x2f })))
      guard let level = levels.last else { return .skip }
      if entry.isOtherFileSystem(than: level.device) { return .skip }
      let owner = level.named?[ByteText(String(cString: entry.name))] ?? level.owner
      total += count(entry.status, for: owner)
      guard entry.status.isDirectory else { return .skip }
      let isNear = levels.count <= nearest
      let path = isNear ? root.pushing(FilePath(String(decoding: entry.path, as: UTF8.self))) : root
      levels.append((entry.status.device, owner, isNear ? owners.owners(in: path) : nil))
      return .enter
    }
    return total
  }

  /// Settles files with several names.
  mutating func finish() {
    var shared: [Sharing: Int64] = [:]
    for file in files.values {
      let sharing = Sharing(owners: file.owners, areHeldElsewhere: file.found < file.links)
      if sharing.owners.count == 1, !sharing.areHeldElsewhere, let owner = sharing.owners.first {
        bytes[owner] += file.bytes
      } else {
        shared[sharing, default: 0] += file.bytes
      }
    }
    linked = shared.map { LinkedFiles(owners: $0.owners, areHeldElsewhere: $0.areHeldElsewhere, bytes: $1) }
    files = [:]
  }

  /// - Returns: what the file adds to the sum.
  private mutating func count(_ status: FileStatus, for owner: Int) -> Int64 {
    let space = status.blocks * 512
    if status.isDirectory || status.linkCount < 2 {
      bytes[owner] += space
      return space
    }
    let identity = Identity(device: status.device, inode: status.inode)
    guard var file = files.removeValue(forKey: identity) else {
      files[identity] = File(bytes: space, owners: [owner], found: 1, links: status.linkCount)
      return space
    }
    file.found += 1
    if !file.owners.contains(owner) { file.owners.append(owner) }
    files[identity] = file
    return 0
  }
}
