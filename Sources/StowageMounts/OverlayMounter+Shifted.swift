// SPDX-License-Identifier: Apache-2.0

import StowageFiles
import StowageModel
import StowageSystem
import SystemPackage

extension OverlayMounter {
  /// Mounts with shifted owners in the lower directories (graph-drivers 12.1, changes-1.64 4.2).
  ///
  /// Each lower layer's directory that is to be shifted gets one idmapped copy of its mount. The copies stay detached if the kernel takes such
  /// lower directories; else they are attached in `mapped` beside the mount point for the moment of the mount.
  static func mountShifted(_ mount: OverlayMount, by means: Means) throws(Errno) {
    let namespace = try Syscall.userNamespace(mount.shift)
    if means == .automatic || means == .parameters {
      do throws(Errno) {
        let copies = try MappedCopies(mount, namespace.rawValue)
        return try mountByParameters(mount, opened: copies.opened)
      } catch  where means == .automatic {
        Log.debug("overlay: detached lower directories are refused: \(error.referenceText)")
      }
    }
    let copies = try MappedCopies(mount, namespace.rawValue)
    let place = mount.target.removingLastComponent().appending("mapped")
    let (attached, lowers) = try copies.attach(in: place, mount)
    var plain = mount
    plain.lowers = lowers
    plain.shift = IDMaps()
    // Their places are detached with the scratch directory.
    defer { for path in attached { try? MountExecutor.unmount(path) } }
    do throws(StorageError) { try OverlayMounter.mount(plain, by: means) } catch {
      throw (error.cause as? Errno) ?? .invalidArgument
    }
  }
}

/// Idmapped, detached copies of the mounts that the lower directories are on.
private struct MappedCopies {
  /// The layers' directories, each once.
  private var directories: [FilePath] = []
  /// The copies, in the order of `directories`.
  private var copies: [SharedDescriptor] = []
  /// A lower directory: in a copy under a name, or as it is.
  private enum Lower {
    case copied(Int, name: String)
    case plain(FilePath)
  }

  /// The lower directories.
  private var places: [Lower] = []
  /// All lower directories as the kernel needs them, opened through the copies.
  private(set) var opened: [SharedDescriptor] = []

  init(_ mount: OverlayMount, _ namespace: CInt) throws(Errno) {
    if mount.work == nil { opened.append(SharedDescriptor(try Syscall.open(mount.upper, [.path, .directory]))) }
    for lower in mount.lowers {
      if mount.unshifted.contains(lower) {
        places.append(.plain(lower))
        opened.append(SharedDescriptor(try Syscall.open(lower, [.path, .directory])))
        continue
      }
      let path = lower.lexicallyNormalized()
      let directory = path.removingLastComponent()
      let name = path.lastComponent?.string ?? "diff"
      let index: Int
      if let known = directories.lastIndex(of: directory) {
        index = known
      } else {
        index = directories.count
        directories.append(directory)
        copies.append(SharedDescriptor(try Syscall.idMappedCopy(of: directory, namespace)))
      }
      places.append(.copied(index, name: name))
      opened.append(SharedDescriptor(try Syscall.openat(copies[index].rawValue, name, [.path, .directory])))
    }
  }

  /// Attaches the copies at `<place>/0`, `<place>/1`, …; if one cannot be, none is.
  func attach(
    in place: FilePath, _ mount: OverlayMount
  ) throws(Errno) -> (attached: [FilePath], lowers: [FilePath]) {
    var attached: [FilePath] = []
    do throws(Errno) {
      // If it is not there, attaching fails and says so.
      try? Syscall.mkdir(place, mode: 0o700)
      for (index, copy) in copies.enumerated() {
        let path = place.appending(String(index))
        // If it is not there, attaching fails and says so.
        try? Syscall.mkdir(path, mode: 0o700)
        try Syscall.moveMount(copy.rawValue, to: path)
        attached.append(path)
      }
    } catch {
      // The error that led here is told.
      for path in attached { try? MountExecutor.unmount(path) }
      throw error
    }
    let lowers = places.map { lower in
      switch lower {
      case .copied(let index, let name): place.appending(String(index)).appending(name)
      case .plain(let path): path
      }
    }
    return (attached, lowers)
  }
}
