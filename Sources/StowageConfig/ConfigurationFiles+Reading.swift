// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
package import StowageModel
internal import StowageSystem
internal import SystemPackage

extension ConfigurationFiles {
  /// What a file may have at most, in bytes: more than anybody writes, and little enough to be held.
  package static let largestFile = 4 << 20

  /// Reads one file.
  ///
  /// - Parameter isNamed: whether it must be there. What a person names may be a pipe; what is found must be a file, or the device that
  ///   masks one, so that nothing waits for a writer.
  package func read(_ path: String, isNamed: Bool, _ take: Consumer) throws(StorageError) {
    let context = kind.context(path)
    let descriptor: OwnedDescriptor
    do throws(Errno) {
      descriptor = try Syscall.open(FilePath(path), isNamed ? [] : .nonBlocking)
    } catch {
      if error == .noSuchFileOrDirectory, !isNamed { return }
      let text = "open \(path): \(error.referenceText)"
      throw StorageError(
        .configuration, kind == .storage ? text : "\(context): \(text)", path: path, cause: error)
    }
    let bytes: [UInt8]?
    do throws(Errno) {
      bytes = try content(of: descriptor, isNamed: isNamed)
    } catch {
      throw StorageError(
        .configuration, "\(context): read \(path): \(error.referenceText)", path: path, cause: error)
    }
    guard let bytes else {
      throw StorageError(.configuration, "\(context): \(path) is a pipe, not a file", path: path)
    }
    do throws(ConfigurationProblem) {
      try take(path, try readTOML(bytes))
    } catch {
      throw StorageError(
        .configuration, "\(context): \(error.text)", plain: "\(path): \(error.plainText)", path: path)
    }
  }

  /// - Returns: nil for what must not be waited for.
  private func content(of file: borrowing OwnedDescriptor, isNamed: Bool) throws(Errno) -> [UInt8]? {
    let status = try Syscall.fstat(file.rawValue)
    if !isNamed, status.kind == .fifo || status.kind == .socket { return nil }
    if status.size > ConfigurationFiles.largestFile { throw .fileTooLarge }
    return try Syscall.readAll(file.rawValue, limit: ConfigurationFiles.largestFile)
  }
}
