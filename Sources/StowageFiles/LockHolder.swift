// SPDX-License-Identifier: Apache-2.0
package import StowageSystem
package import SystemPackage

/// A process that holds a record lock on a file.
///
/// The kernel's own answers are not enough: `F_OFD_GETLK` names no process for locks of open file descriptions, which are
/// ours. `/proc/PID/fdinfo` shows the locks of either kind that were taken through a descriptor. See `proc(5)`.
package struct LockHolder: Hashable, Sendable, CustomStringConvertible {
  /// The process.
  package let pid: Int32
  /// The short name of its program, at most 15 bytes; empty if it is gone by now.
  package let command: String
  /// Whether others may read meanwhile.
  package let kind: LockKind

  /// `process 4711 (podman)`.
  package var description: String { command.isEmpty ? "process \(pid)" : "process \(pid) (\(command))" }

  /// The processes that hold a lock on a file, this one included, by number; only those that may be looked at.
  ///
  /// - Complexity: one `stat` for each descriptor of each process on the machine: for people's eyes, not for programs.
  package static func all(of path: FilePath) -> [LockHolder] {
    guard let file = try? Syscall.stat(path), let names = try? Syscall.directoryNames("/proc") else { return [] }
    var holders: Set<LockHolder> = []
    for name in names {
      guard let pid = Int32(String(decoding: name, as: UTF8.self)) else { continue }
      let process = FilePath("/proc/\(pid)")
      // Processes end while they are looked at.
      for descriptor in (try? Syscall.directoryNames(process.appending("fd"))) ?? [] {
        let number = String(decoding: descriptor, as: UTF8.self)
        guard let status = try? Syscall.stat(process.appending("fd").appending(number)), status.isSameFile(as: file),
          let information = try? Syscall.readFile(process.appending("fdinfo").appending(number), limit: 65536),
          let kind = heldKind(information)
        else { continue }
        holders.insert(LockHolder(pid: pid, command: command(of: process), kind: kind))
      }
    }
    return holders.sorted { $0.pid < $1.pid }
  }

  /// What the `lock:` lines of a descriptor say: `lock:  1: OFDLCK ADVISORY  WRITE …`.
  private static func heldKind(_ information: [UInt8]) -> LockKind? {
    var kind: LockKind?
    for line in information.split(separator: 0x0a) where line.starts(with: "lock:".utf8) {
      let words = line.split { $0 == 0x20 || $0 == 0x09 }.map { String(decoding: $0, as: UTF8.self) }
      guard words.contains("OFDLCK") || words.contains("POSIX") else { continue }
      if words.contains("WRITE") { return .write }
      if words.contains("READ") { kind = .read }
    }
    return kind
  }

  static func command(of process: FilePath) -> String {
    // A process that has ended has no name any more.
    guard let bytes = try? Syscall.readFile(process.appending("comm"), limit: 64) else { return "" }
    return String(decoding: bytes.prefix { $0 != 0x0a }, as: UTF8.self)
  }
}
