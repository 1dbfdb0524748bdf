// SPDX-License-Identifier: Apache-2.0

package import StowageFiles
package import StowageModel
internal import StowageSystem
package import SystemPackage

extension RecordDocument {
  /// As much of a file as makes sense; empty without a file, or if something else is in its place. Needs no lock: files are
  /// replaced as a whole.
  ///
  /// - Throws: `system`.
  package static func readable(at path: FilePath) throws(StorageError) -> RecordDocument {
    do throws(StorageError) { return readable(try StoreFile.read(path)) } catch {
      if error.errno == .noSuchFileOrDirectory || error.code == .corrupt { return RecordDocument() }
      throw error
    }
  }
}

/// A record file in memory, with what is needed to see that another process has replaced it.
///
/// Needs the lock of its store: shared to load, exclusive to save. Source: on-disk-format 4, 5, 10.
package struct RecordFile<Record: StoreRecord>: Sendable {
  /// Where the file is.
  package let path: FilePath
  /// Whether the file is flushed when saved; volatile files are not.
  let isFlushed: Bool
  /// Whether parse errors name the file, as those of all files but `mountpoints.json` do.
  let namesFileInErrors: Bool
  /// The content, including entries that are shadowed or cannot be used.
  package var document = RecordDocument<Record>()
  /// Whether `document` differs from the file.
  package var isDirty = false
  /// The version that `document` was read from or written as; `nil` if there was no file.
  package private(set) var signature: FileSignature?

  /// Names a file; nothing is read.
  package init(_ path: FilePath, isFlushed: Bool, namesFileInErrors: Bool = true) {
    self.path = path
    self.isFlushed = isFlushed
    self.namesFileInErrors = namesFileInErrors
  }

  /// Whether there was no file when it was read or written last.
  package var isAbsent: Bool { signature == nil }

  /// Whether there was no file, or nothing in it, when it was read or written last.
  package var isAbsentOrEmpty: Bool { signature?.size ?? 0 == 0 }

  /// What names of files begin with that keep what the file was before its records were restored.
  package static func keptPrefix(_ path: FilePath) -> String { (path.lastComponent?.string ?? "") + ".damaged-" }

  /// Whether a name beside the file is that of a kept copy.
  func isKeptCopy(_ name: [UInt8]) -> Bool { name.starts(with: Self.keptPrefix(path).utf8) }

  /// Whether the file is another one than that loaded or saved last; deletion counts.
  package var isStale: Bool { FileSignature.of(path) != signature }

  /// Reads the file; a missing one is empty.
  ///
  /// - Throws: `corrupt`, text `loading "<path>": …`; `system`. The content in memory stays as it was.
  ///
  /// - Parameter takesReadable: whether a torn file counts as far as it can be read, with a warning; it is replaced at the next
  ///   save.
  package mutating func load(takesReadable: Bool = false) throws(StorageError) {
    var bytes: [UInt8]
    let found: FileSignature?
    do throws(StorageError) {
      let descriptor = try StoreFile.open(path)
      (found, bytes) = try attempt("open", path) { () throws(Errno) in
        (FileSignature(try Syscall.fstat(descriptor.rawValue)), try Syscall.readAll(descriptor.rawValue))
      }
    } catch {
      if error.code == .corrupt, namesFileInErrors {
        let text = "\(error.message); `check --repair` does that from what is on disk, and keeps what is there"
        throw StorageError(.corrupt, text, path: error.path, cause: error.cause)
      }
      guard error.errno == .noSuchFileOrDirectory else { throw error }
      document = RecordDocument()
      signature = nil
      isDirty = false
      return
    }
    // What is not flushed can be torn to nothing by a power cut, and is then as if it were not there.
    if !isFlushed, bytes.allSatisfy({ $0 == 0 }) { bytes = Array("[]".utf8) }
    isDirty = false
    do throws(RecordParseError) {
      document = try RecordDocument.parse(bytes)
    } catch {
      if takesReadable {
        (document, signature, isDirty) = (RecordDocument.readable(bytes), found, true)
        Log.warning(
          "\(path) cannot be read (\(error)): \(document.records.count) of its records are used, the others are lost")
        return
      }
      let text = namesFileInErrors ? "loading \(goQuoted(path.string)): \(error)" : "\(error)"
      throw StorageError(.corrupt, text, path: path.string, cause: error)
    }
    signature = found
  }

  /// Replaces the file by the content in memory, mode 0600, making its directory if need be.
  ///
  /// The caller has recorded the write in the lock file. After a failure or a crash the old file is there.
  package mutating func save(_ durability: Durability = .full) throws(StorageError) {
    signature = FileSignature(
      try AtomicFile.replace(
        path, contents: document.encode(), mode: 0o600, durability: isFlushed ? durability : .none))
    isDirty = false
  }
}
