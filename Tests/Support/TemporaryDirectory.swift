// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import StowageFiles
internal import StowageModel
internal import StowageSystem
internal import Synchronization
package import SystemPackage

/// A fresh directory under `/tmp` (mode 0700), removed with all mounts in it when the value is released.
package final class TemporaryDirectory: Sendable {
  /// Absolute path.
  package let path: FilePath

  /// Creates the directory.
  package convenience init(_ label: String = "test") throws {
    try self.init(named: "stowage-\(label)-\(getpid())-\(UInt64.random(in: .min ... .max))")
  }

  /// Creates the directory with a certain name.
  package init(named name: String) throws {
    path = FilePath("/tmp").appending(name)
    try Syscall.mkdir(path, mode: 0o700)
  }

  deinit {
    do { try removeTree(path) } catch { Log.warning("test directory left: \(error.message)") }
  }

  /// Removes it when the process ends, too: what a suite makes once and keeps is never released.
  package func removeAtExit() {
    let isFirst = TemporaryDirectory.kept.withLock { kept in
      kept.append(path)
      return kept.count == 1
    }
    if isFirst {
      atexit {
        for path in TemporaryDirectory.kept.withLock({ $0 }) {
          do throws(StorageError) { try removeTree(path) } catch {
            Log.warning("test directory left: \(error.message)")
          }
        }
      }
    }
  }

  private static let kept = Mutex<[FilePath]>([])

  /// The path of something in it.
  package func appending(_ name: String) -> FilePath { path.appending(name) }
}

/// Runs `body` with a fresh directory, which is removed afterwards.
package func withTemporaryDirectory<R>(_ label: String = "test", _ body: (FilePath) throws -> R) throws -> R {
  let directory = try TemporaryDirectory(label)
  return try withExtendedLifetime(directory) { try body(directory.path) }
}

extension FilePath {
  /// Creates or overwrites a file with a text.
  package func write(_ text: String, mode: UInt32 = 0o644) throws { try write(Array(text.utf8), mode: mode) }

  /// Creates or overwrites a file with bytes.
  package func write(_ bytes: [UInt8], mode: UInt32 = 0o644) throws {
    let file = try Syscall.open(self, [.writeOnly, .create, .truncate], mode: mode)
    let descriptor = file.rawValue
    try bytes.withUnsafeBytes { try Syscall.write(descriptor, all: $0) }
    try file.close()
  }

  /// The whole content of a file.
  package func readBytes() throws -> [UInt8] { try Syscall.readFile(self) }

  /// The whole content of a file as text.
  package func readText() throws -> String { String(decoding: try readBytes(), as: UTF8.self) }

  /// True if something is there.
  package var exists: Bool { Syscall.exists(self) }

  /// Names in a directory, sorted.
  package func names() throws -> [String] {
    try Syscall.directoryNames(self).map { String(decoding: $0, as: UTF8.self) }
  }
}
