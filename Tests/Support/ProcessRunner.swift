// SPDX-License-Identifier: Apache-2.0
internal import Glibc
package import StowageSystem
package import SystemPackage

/// What a program did.
package struct ProcessResult: Sendable, CustomStringConvertible {
  /// How it ended.
  package var status: ExitStatus
  /// Bytes of standard output.
  package var output: [UInt8]
  /// Bytes of standard error.
  package var error: [UInt8]

  /// Standard output as text.
  package var outputText: String { String(decoding: output, as: UTF8.self) }
  /// Standard error as text.
  package var errorText: String { String(decoding: error, as: UTF8.self) }
  /// True for exit status 0.
  package var isSuccess: Bool { status.isSuccess }
  /// Everything, for failure messages.
  package var description: String { "\(status)\n--- output\n\(outputText)\n--- error\n\(errorText)" }
}

/// A program that runs in the background.
package final class RunningProcess: Sendable {
  /// Process number.
  package let pid: Int32
  private let output: SharedDescriptor
  private let error: SharedDescriptor

  init(pid: Int32, output: SharedDescriptor, error: SharedDescriptor) {
    self.pid = pid
    self.output = output
    self.error = error
  }

  /// Sends a signal.
  package func signal(_ number: Int32) { _ = Glibc.kill(pid, number) }

  /// What it wrote to standard output so far.
  package func outputSoFar() throws -> String {
    let size = Int(try Syscall.fstat(output.rawValue).size)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, size), alignment: 16)
    defer { buffer.deallocate() }
    let count = try Syscall.pread(output.rawValue, into: buffer, at: 0)
    return String(decoding: buffer[..<count], as: UTF8.self)
  }

  /// Waits until it has written `text` to standard output; false after ten seconds.
  package func waitForOutput(_ text: String) throws -> Bool {
    for _ in 0..<1000 {
      if try outputSoFar().contains(text) { return true }
      usleep(10_000)
    }
    return false
  }

  /// Whether it has ended, and only waits for ``wait()``.
  package func hasEnded() throws -> Bool {
    let text = try FilePath("/proc/\(pid)/stat").readText()
    return text.split(separator: ")").last?.hasPrefix(" Z") == true
  }

  /// Waits for its end. To be called once.
  package func wait() throws -> ProcessResult {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) == -1 {
      if errno != EINTR { throw Errno(rawValue: errno) }
    }
    let signal = Int(status & 0x7f)
    let ended: ExitStatus = signal == 0 ? .exited(Int(status >> 8 & 0xff)) : .signaled(signal)
    try Syscall.seek(output.rawValue, to: 0)
    try Syscall.seek(error.rawValue, to: 0)
    return ProcessResult(
      status: ended, output: try Syscall.readAll(output.rawValue), error: try Syscall.readAll(error.rawValue))
  }
}

/// Starts a program in the background. Its output goes to unnamed files, so it never blocks on a full pipe.
///
/// - Parameters:
///   - arguments: program (a path, or a name looked up in `PATH`) and arguments.
///   - input: bytes for standard input; nil for an empty one.
///   - adding: variables added to this process' environment, or replacing them.
package func start(
  _ arguments: [String], input: [UInt8]? = nil, adding variables: [String: String] = [:], directory: FilePath? = nil
) throws -> RunningProcess {
  guard let program = arguments.first else { throw Errno.invalidArgument }
  let output = SharedDescriptor(try unnamedFile())
  let error = SharedDescriptor(try unnamedFile())
  let standardInput = SharedDescriptor(try unnamedFile())
  if let input {
    try input.withUnsafeBytes { try Syscall.write(standardInput.rawValue, all: $0) }
    try Syscall.seek(standardInput.rawValue, to: 0)
  }
  let child = try Syscall.spawn(
    program, Array(arguments.dropFirst()), environment: environment(adding: variables), directory: directory,
    input: standardInput.rawValue, output: output.rawValue, error: error.rawValue)
  return RunningProcess(pid: child.pid, output: output, error: error)
}

/// Runs a program to its end.
package func run(
  _ arguments: [String], input: [UInt8]? = nil, adding variables: [String: String] = [:], directory: FilePath? = nil
) throws -> ProcessResult {
  try start(arguments, input: input, adding: variables, directory: directory).wait()
}

/// Runs a program to its end.
package func run(_ arguments: String...) throws -> ProcessResult { try run(arguments) }

/// Runs a text in `/bin/sh`.
package func shell(_ script: String, directory: FilePath? = nil) throws -> ProcessResult {
  try run(["/bin/sh", "-ec", script], directory: directory)
}

/// Standard output of a script that runs in a fresh directory and has to succeed.
///
/// - Parameter files: what is in the directory at the start.
package func scriptOutput(_ script: String, files: [String: [UInt8]] = [:]) throws -> [UInt8] {
  try withTemporaryDirectory("script") { directory in
    for (name, content) in files { try directory.appending(name).write(content) }
    let result = try shell(script, directory: directory)
    guard result.isSuccess else { throw FixtureError(text: "\(script)\n\(result)") }
    return result.output
  }
}

/// True if the tests run as root.
package var isRoot: Bool { geteuid() == 0 }

/// True if a program of that name is in `PATH`.
package func commandExists(_ name: String) -> Bool {
  (environmentValue("PATH") ?? "").split(separator: ":").contains { access("\($0)/\(name)", X_OK) == 0 }
}

private func unnamedFile() throws -> OwnedDescriptor {
  try Syscall.open("/tmp", [.readWrite, .temporary], mode: 0o600)
}

private func environment(adding variables: [String: String]) -> [String] {
  var result: [String] = []
  for entry in (try? Syscall.readFile("/proc/self/environ"))?.split(separator: 0) ?? [] {
    let text = String(decoding: entry, as: UTF8.self)
    let name = String(text.prefix { $0 != "=" })
    if variables[name] == nil { result.append(text) }
  }
  return result + variables.map { "\($0.key)=\($0.value)" }.sorted()
}
