// SPDX-License-Identifier: Apache-2.0
internal import CStowageShims
internal import Glibc
package import SystemPackage

/// How a child process ended.
package enum ExitStatus: Sendable, Hashable, CustomStringConvertible {
  /// It ended by itself with this status.
  case exited(Int)
  /// A signal ended it.
  case signaled(Int)

  /// True for exit status 0.
  package var isSuccess: Bool { self == .exited(0) }

  /// `exit status N` or `signal: N`.
  package var description: String {
    switch self {
    case .exited(let status): "exit status \(status)"
    case .signaled(let signal): "signal: \(signal)"
    }
  }

  /// `exit status N` or the name of the signal, `signal: killed`.
  package var referenceText: String {
    guard case .signaled(let signal) = self, let name = strsignal(CInt(signal)) else { return description }
    let text = String(cString: name)
    return "signal: " + text.prefix(1).lowercased() + text.dropFirst()
  }

  init(waitStatus: CInt) {
    let signal = Int(waitStatus & 0x7f)
    self = signal == 0 ? .exited(Int(waitStatus >> 8 & 0xff)) : .signaled(signal)
  }
}

/// A started child process.
package struct ChildProcess: ~Copyable, Sendable {
  /// Process number.
  package let pid: Int32

  /// Waits for the end of the process. See `waitpid(2)`.
  package consuming func wait() throws(Errno) -> ExitStatus {
    let pid = pid
    var status: CInt = 0
    try checked { waitpid(pid, &status, 0) }
    return ExitStatus(waitStatus: status)
  }
}

extension Syscall {
  /// Starts a program. See `posix_spawn(3)`.
  ///
  /// - Parameters:
  ///   - program: a path, or a name looked up in `PATH`.
  ///   - arguments: without the program's own name.
  ///   - name: the program's own name; nil for `program`.
  ///   - environment: `NAME=value` texts; nil for this process' environment.
  ///   - input: standard input; nil for `/dev/null`.
  ///   - output: standard output; nil for `/dev/null`.
  ///   - error: standard error; nil for `/dev/null`.
  package static func spawn(
    _ program: String, _ arguments: [String], name: String? = nil, environment: [String]? = nil,
    directory: FilePath? = nil, input: CInt? = nil, output: CInt? = nil, error: CInt? = nil
  ) throws(Errno) -> ChildProcess {
    let null = try open("/dev/null", .readWrite)
    var argumentPointers = ([name ?? program] + arguments).map { strdup($0) as UnsafeMutablePointer<CChar>? } + [nil]
    var environmentPointers = (environment ?? []).map { strdup($0) } + [nil]
    defer {
      for pointer in argumentPointers + environmentPointers { free(pointer) }
    }
    var pid: pid_t = 0
    let nullDescriptor = null.rawValue
    let inherits = environment == nil
    let failure = argumentPointers.withUnsafeMutableBufferPointer { arguments in
      environmentPointers.withUnsafeMutableBufferPointer { variables in
        withOptionalPath(directory) { directory in
          stowage_spawn(
            &pid, program, arguments.baseAddress, inherits ? stowage_environ() : variables.baseAddress, directory,
            input ?? nullDescriptor, output ?? nullDescriptor, error ?? nullDescriptor)
        }
      }
    }
    if failure != 0 { throw Errno(rawValue: failure) }
    return ChildProcess(pid: pid)
  }

  /// Runs a program to its end and collects its standard error (the first 64 KiB).
  ///
  /// - Returns: how it ended, and what it wrote to standard error.
  package static func run(
    _ program: String, _ arguments: [String], environment: [String]? = nil, directory: FilePath? = nil,
    input: CInt? = nil, output: CInt? = nil
  ) throws(Errno) -> (status: ExitStatus, error: [UInt8]) {
    let pipe = try pipe()
    let child = try spawn(
      program, arguments, environment: environment, directory: directory, input: input, output: output,
      error: pipe.writer.rawValue)
    let reader = pipe.closingWriter()
    var collected: [UInt8] = []
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let count = try read(reader.rawValue, into: buffer)
      if count == 0 { break }
      if collected.count < 65536 { collected.append(contentsOf: buffer[..<count]) }
    }
    return (try child.wait(), collected)
  }

  private static func withOptionalPath<R>(_ path: FilePath?, _ body: (UnsafePointer<CChar>?) -> R) -> R {
    guard let path else { return body(nil) }
    return path.withPlatformString { body($0) }
  }
}
