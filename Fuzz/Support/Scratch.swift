// SPDX-License-Identifier: Apache-2.0
private import Glibc
private import StowageSystem
internal import SystemPackage

/// A directory of this process for what targets put on disk. `Fuzz/run.sh` sees to it that it is in memory, and removes it.
///
/// What fails here is no finding but a machine that cannot fuzz, so it ends the run.
enum Scratch {
  static let path: FilePath = {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    let path = FilePath("\(parent)/fuzz-\(getpid())")
    need("mkdir", path) { () throws(Errno) in try Syscall.mkdir(path, mode: 0o700) }
    return path
  }()

  /// Puts bytes into a file, a new one or over what it had.
  static func write(_ bytes: [UInt8], to path: FilePath) {
    need("write", path) { () throws(Errno) in
      let file = try Syscall.open(path, [.writeOnly, .create], mode: 0o600)
      try Syscall.ftruncate(file.rawValue, size: 0)
      try bytes.withUnsafeBufferPointer { (bytes) throws(Errno) in
        try Syscall.write(file.rawValue, all: UnsafeRawBufferPointer(bytes))
      }
    }
  }

  /// Makes a directory whose parent exists.
  static func makeDirectory(_ path: FilePath) {
    need("mkdir", path) { () throws(Errno) in try Syscall.mkdir(path, mode: 0o755) }
  }

  /// Removes a file or a tree.
  static func remove(_ path: FilePath) {
    guard need("lstat", path, { () throws(Errno) in try Syscall.lstat(path) }).isDirectory else {
      return need("unlink", path) { () throws(Errno) in try Syscall.unlink(path) }
    }
    for name in need("read", path, { () throws(Errno) in try Syscall.directoryNames(path) }) {
      remove(path.appending(String(decoding: name, as: UTF8.self)))
    }
    need("rmdir", path) { () throws(Errno) in try Syscall.rmdir(path) }
  }

  /// Makes a call that cannot fail but for want of something on this machine.
  @discardableResult
  static func need<R>(_ what: String, _ path: FilePath, _ body: () throws(Errno) -> R) -> R {
    do throws(Errno) { return try body() } catch { fatalError("\(what) \(path): \(error)") }
  }
}
