// SPDX-License-Identifier: Apache-2.0

package import StowageCompression
package import StowageModel
internal import StowageSystem
internal import SystemPackage

extension StorageError {
  /// A failed system call on an object of a layer: `open /a/b: no such file or directory`.
  ///
  /// - Parameter path: that within the layer.
  static func failed(_ call: String, _ path: some Collection<UInt8>, _ error: Errno) -> StorageError {
    StorageError(.system, "\(call) \(displayPath(path)): \(error.referenceText)", cause: error)
  }
}

/// A failed change of owner; says what to do if the IDs do not exist here.
func ownerFailure(
  _ owner: ApplyOptions.Owner, _ path: some Collection<UInt8>, _ error: Errno
) -> StorageError {
  let failure = StorageError.failed("lchown", path, error)
  guard error == .invalidArgument else { return failure }
  return failure.wrapped(
    "potentially insufficient UIDs or GIDs available in user namespace (requested \(owner.uid):\(owner.gid) for "
      + "\(displayPath(path))): Check /etc/subuid and /etc/subgid if configured locally and run "
      + "\"podman system migrate\"")
}

/// A path within a layer for a message: absolute, invalid UTF-8 repaired.
func displayPath(_ path: some Collection<UInt8>) -> String {
  let text = String(decoding: path, as: UTF8.self)
  return text.utf8.first == UInt8(ascii: "/") ? text : "/" + text
}

extension ArchiveError {
  /// This failure as the error of the store; the text stays.
  package var asStorageError: StorageError {
    if let own = cause as? StorageError { return own }
    let code: StorageError.Code
    switch kind {
    case .cancelled: code = .cancelled
    case .system: code = .system
    case .integrity, .invalidTarSplit: code = .corrupt
    case .unsupported: code = .notSupported
    default: code = .invalidArchive
    }
    return StorageError(code, message, cause: self)
  }
}
