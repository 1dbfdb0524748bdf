// SPDX-License-Identifier: Apache-2.0
internal import CStowageShims
internal import Glibc
package import SystemPackage

/// A parameter of `fsconfig(2)`.
package enum MountParameter: Sendable {
  /// A word without value.
  case flag(String)
  /// `key=value`.
  case string(String, String)
  /// An open file as value.
  case descriptor(String, CInt)
  /// Create the superblock.
  case create
  /// Change the superblock's options.
  case reconfigure
}

extension Syscall {
  /// Mounts, or changes a mount. See `mount(2)`.
  ///
  /// - Parameter data: the file system's option text, shorter than a page.
  package static func mount(
    source: String?, target: FilePath, type: String?, flags: MountFlags = [], data: String? = nil
  ) throws(Errno) {
    try SystemHook.step("mount", target.string)
    try target.withCString { (target) throws(Errno) in
      _ = try checked {
        withOptionalCString(source) { source in
          withOptionalCString(type) { type in
            withOptionalCString(data) { data in
              stowage_mount(source, target, type, flags.rawValue, data.map { UnsafeRawPointer($0) })
            }
          }
        }
      }
    }
  }

  /// Unmounts a host path. See `umount2(2)`.
  package static func umount(_ target: FilePath, flags: UnmountFlags = []) throws(Errno) {
    try SystemHook.step("umount", target.string)
    try target.withCString { (name) throws(Errno) in _ = try checked { stowage_umount2(name, flags.rawValue) } }
  }

  /// Opens a file-system configuration context. See `fsopen(2)`, Linux 5.2.
  package static func fsopen(_ type: String) throws(Errno) -> OwnedDescriptor {
    OwnedDescriptor(owning: try checked { stowage_fsopen(type, UInt32(STOWAGE_FSOPEN_CLOEXEC)) })
  }

  /// Sets a parameter of a configuration context, or creates the superblock. See `fsconfig(2)`.
  package static func fsconfig(_ context: CInt, _ parameter: MountParameter) throws(Errno) {
    switch parameter {
    case .flag(let key): try checked { stowage_fsconfig(context, 0, key, nil, 0) }
    case .string(let key, let value):
      try checked { value.withCString { stowage_fsconfig(context, 1, key, $0, 0) } }
    case .descriptor(let key, let descriptor): try checked { stowage_fsconfig(context, 5, key, nil, descriptor) }
    case .create:
      try SystemHook.step("fsconfig", "create")
      try checked { stowage_fsconfig(context, 6, nil, nil, 0) }
    case .reconfigure:
      try SystemHook.step("fsconfig", "reconfigure")
      try checked { stowage_fsconfig(context, 7, nil, nil, 0) }
    }
  }

  /// A detached mount of a configured file system. See `fsmount(2)`.
  package static func fsmount(_ context: CInt, attributes: MountAttributes = []) throws(Errno) -> OwnedDescriptor {
    try SystemHook.step("fsmount", "\(context)")
    let bits = UInt32(truncatingIfNeeded: attributes.rawValue)
    return OwnedDescriptor(
      owning: try checked { stowage_fsmount(context, UInt32(STOWAGE_FSMOUNT_CLOEXEC), bits) })
  }

  /// A handle of a path, or with `clone` a detached copy of the mount there. See `open_tree(2)`, Linux 5.2.
  package static func openTree(
    _ directory: CInt, _ name: UnsafePointer<CChar>, clone: Bool, flags: AtFlags = []
  ) throws(Errno) -> OwnedDescriptor {
    let bits = UInt32(bitPattern: flags.rawValue | O_CLOEXEC) | (clone ? UInt32(STOWAGE_OPEN_TREE_CLONE) : 0)
    return OwnedDescriptor(owning: try checked { stowage_open_tree(directory, name, bits) })
  }

  /// Attaches a detached mount at a host path. See `move_mount(2)`, Linux 5.2.
  package static func moveMount(_ mount: CInt, to target: FilePath) throws(Errno) {
    try SystemHook.step("move_mount", target.string)
    try target.withCString { (name) throws(Errno) in
      _ = try checked {
        stowage_move_mount(mount, "", AT_FDCWD, name, UInt32(STOWAGE_MOVE_MOUNT_F_EMPTY_PATH))
      }
    }
  }

  /// Changes attributes or the ID map of a mount. See `mount_setattr(2)`, Linux 5.12.
  ///
  /// - Parameter propagation: bits of `MountFlags` (`private` …), empty to leave it.
  package static func mountSetattr(
    _ directory: CInt, _ name: UnsafePointer<CChar>, flags: AtFlags = [], set: MountAttributes = [],
    clear: MountAttributes = [], propagation: MountFlags = [], userNamespace: CInt? = nil
  ) throws(Errno) {
    try SystemHook.step("mount_setattr", name.text)
    var attributes = stowage_mount_attr(
      attr_set: set.rawValue, attr_clr: clear.rawValue, propagation: UInt64(propagation.rawValue),
      userns_fd: userNamespace.map { UInt64(UInt32(bitPattern: $0)) } ?? 0)
    let bits = UInt32(bitPattern: flags.rawValue)
    try checked { stowage_mount_setattr(directory, name, bits, &attributes) }
  }

  /// Moves the calling thread into new namespaces. Only for threads or processes made for it. See `unshare(2)`.
  package static func unshare(_ namespaces: NamespaceFlags) throws(Errno) {
    try checked { stowage_unshare(namespaces.rawValue) }
  }

  private static func withOptionalCString<R>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> R) -> R {
    guard let text else { return body(nil) }
    return text.withCString { body($0) }
  }
}
