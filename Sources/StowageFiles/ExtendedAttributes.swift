// SPDX-License-Identifier: Apache-2.0

internal import StowageSystem
package import SystemPackage

/// Extended attributes of objects that may be on a file system without any.
///
/// That a file system does not know attributes means that there are none. Every other failure is one: taken for absence it
/// would lose a capability, or show what a mark hides.
package enum ExtendedAttributes {
  /// The names of an open object's attributes.
  package static func names(_ descriptor: CInt) throws(Errno) -> [[UInt8]] {
    try supported { () throws(Errno) in try Syscall.flistxattr(descriptor) } ?? []
  }

  /// The names of the attributes of `entry` in a directory, of a symbolic link itself.
  package static func names(_ directory: CInt, _ entry: UnsafePointer<CChar>) throws(Errno) -> [[UInt8]] {
    try supported { () throws(Errno) in try Syscall.listxattrat(directory, entry) } ?? []
  }

  /// The value of an open object's attribute; `nil` if it has none of that name.
  package static func value(_ descriptor: CInt, _ name: UnsafePointer<CChar>) throws(Errno) -> [UInt8]? {
    try supported { () throws(Errno) in try Syscall.fgetxattr(descriptor, name) } ?? nil
  }

  /// The value of an attribute of `entry` in a directory, of a symbolic link itself; `nil` if there is none.
  package static func value(
    _ directory: CInt, _ entry: UnsafePointer<CChar>, _ name: UnsafePointer<CChar>
  ) throws(Errno) -> [UInt8]? {
    try supported { () throws(Errno) in try Syscall.getxattrat(directory, entry, name) } ?? nil
  }

  /// The value of an attribute at a host path, of a symbolic link itself; `nil` if there is none, or nothing at the path.
  package static func value(_ path: FilePath, _ name: UnsafePointer<CChar>) throws(Errno) -> [UInt8]? {
    do throws(Errno) {
      return try supported { () throws(Errno) in try Syscall.lgetxattr(path, name) } ?? nil
    } catch .noSuchFileOrDirectory {
      return nil
    }
  }

  /// The result of a call; `nil` if the file system knows no attributes, or not of this kind.
  private static func supported<R>(_ call: () throws(Errno) -> R) throws(Errno) -> R? {
    do throws(Errno) { return try call() } catch .notSupported { return nil } catch .notSupportedOnSocket { return nil }
  }
}
