// SPDX-License-Identifier: Apache-2.0
package import StowageModel
internal import StowageSystem
package import SystemPackage

extension StorageError {
  /// A failed system call on a path: `<call> <path>: <error text>`, the form of the reference.
  package static func failed(_ call: String, _ path: FilePath, _ error: Errno) -> StorageError {
    StorageError(.system, "\(call) \(path.string): \(error.referenceText)", path: path.string, cause: error)
  }

  /// A failed system call on two paths: `<call> <old> <new>: <error text>`.
  package static func failed(_ call: String, _ old: FilePath, _ new: FilePath, _ error: Errno) -> StorageError {
    StorageError(
      .system, "\(call) \(old.string) \(new.string): \(error.referenceText)", path: old.string, cause: error)
  }

  /// The error number behind this error, if a system call caused it.
  package var errno: Errno? { cause as? Errno }
}

/// Runs system calls and reports their failure as `<call> <path>: <error text>`.
package func attempt<R: ~Copyable>(
  _ call: String, _ path: @autoclosure () -> FilePath, _ body: () throws(Errno) -> R
) throws(StorageError) -> R {
  do throws(Errno) { return try body() } catch { throw .failed(call, path(), error) }
}
