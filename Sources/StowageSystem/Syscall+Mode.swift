// SPDX-License-Identifier: Apache-2.0
internal import CStowageShims
internal import Glibc
internal import Synchronization
package import SystemPackage

extension Syscall {
  /// Whether `fchmodat2` works here; sandboxes answer `ENOSYS` or `EPERM`. Found out at the first use.
  private static let kernelHasModeOfNames = Atomic<Bool>(true)

  /// Sets permission bits of a name, which is never followed: whoever may change the directory could put a link there that
  /// leads to any file of the host. See `fchmodat2(2)`, Linux 6.6; else through an `O_PATH` handle.
  ///
  /// - Throws: `EOPNOTSUPP` for a symbolic link.
  package static func fchmodat(_ directory: CInt, _ name: UnsafePointer<CChar>, mode: UInt32) throws(Errno) {
    try SystemHook.step("fchmodat", name.text, .layer)
    if kernelHasModeOfNames.load(ordering: .relaxed) {
      do throws(Errno) {
        try checked { stowage_fchmodat2(directory, name, mode, AT_SYMLINK_NOFOLLOW) }
        return
      } catch {
        // A filter may answer EPERM to a call that it does not know; where that was the kernel's answer, it comes again.
        guard error == .noFunction || error == .notPermitted else { throw error }
        if error == .noFunction { kernelHasModeOfNames.store(false, ordering: .relaxed) }
      }
    }
    try changeModeOfHandle(directory, name, mode: mode)
  }

  /// The way of older kernels: the handle cannot be exchanged any more, and its entry in `/proc` is the object itself. Package
  /// for tests.
  package static func changeModeOfHandle(
    _ directory: CInt, _ name: UnsafePointer<CChar>, mode: UInt32
  ) throws(Errno) {
    let handle = try openat(directory, name, [.path, .noFollow])
    // On some file systems the kernel would change the mode of the link.
    if try fstat(handle.rawValue).kind == .symbolicLink { throw .notSupported }
    try withProcPath(handle.rawValue, "") { (path) throws(Errno) in
      _ = try checked { Glibc.chmod(path, mode_t(mode)) }
    }
  }
}
