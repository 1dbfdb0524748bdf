// SPDX-License-Identifier: Apache-2.0
internal import CStowageShims
internal import Glibc
package import SystemPackage

/// This program, started anew as a child in a user namespace of its own. It waits for its ID maps until ``proceed()``,
/// and ends when this process does.
package struct NamespaceChild: ~Copyable {
  /// A step that the child could not take.
  package struct Failure: Error, Sendable {
    /// The steps in their order.
    package enum Step: Sendable {
      case start, userNamespace, identity, mountNamespace, execute
    }
    package let step: Step
    package let error: Errno
  }

  /// Process number.
  package let pid: Int32
  private let reports: OwnedDescriptor
  private let gate: OwnedDescriptor

  /// Starts the child and waits until it is in its user namespace, without maps yet.
  ///
  /// It gets the arguments and the environment of this process, byte for byte.
  ///
  /// - Parameters:
  ///   - suffix: what is put behind the program's name.
  ///   - variables: what is put into the environment, in place of variables of the same names.
  /// - Throws: ``Failure``; the child has ended then.
  package static func start(
    addingToName suffix: String, variables: [String: String]
  ) throws(Failure) -> NamespaceChild {
    let reports = try pipe()
    let gate = try pipe()
    let pid = try fork(addingToName: suffix, variables: variables, reports, gate)
    stowage_forward_signals(pid)
    let child = NamespaceChild(pid: pid, reports: reports.closingWriter(), gate: gate.closingReader())
    guard let failure = readFailure(child.reports.rawValue) else { return child }
    // The failure that it reported is told.
    _ = try? ChildProcess(pid: pid).wait()
    throw failure
  }

  private static func fork(
    addingToName suffix: String, variables: [String: String], _ reports: borrowing Pipe, _ gate: borrowing Pipe
  ) throws(Failure) -> Int32 {
    let report = [reports.reader.rawValue, reports.writer.rawValue]
    let wait = [gate.reader.rawValue, gate.writer.rawValue]
    do throws(Errno) {
      var arguments = try Syscall.readFile("/proc/self/cmdline").split(separator: 0, omittingEmptySubsequences: false)
        .dropLast().map(Array.init)
      if !arguments.isEmpty { arguments[0] += Array(suffix.utf8) }
      var argumentPointers = arguments.map(copy) + [nil]
      var environmentPointers = environment(with: variables).map(copy) + [nil]
      defer { for pointer in argumentPointers + environmentPointers { free(pointer) } }
      return try argumentPointers.withUnsafeMutableBufferPointer { (arguments) throws(Errno) in
        try environmentPointers.withUnsafeMutableBufferPointer { (variables) throws(Errno) in
          // The name is that of the running program, even if its file was replaced meanwhile.
          try checked {
            stowage_reexecute("/proc/self/exe", arguments.baseAddress, variables.baseAddress, report, wait)
          }
        }
      }
    } catch {
      throw Failure(step: .start, error: error)
    }
  }

  /// Lets the child go on, as user 0 in a mount namespace of its own, and waits for its end. SIGHUP, SIGINT and SIGTERM
  /// that other processes send to this one are passed on to it.
  ///
  /// - Throws: ``Failure`` if the program did not start.
  package consuming func proceed() throws(Failure) -> ExitStatus {
    let pid = pid
    try? gate.close()
    let failure = NamespaceChild.readFailure(reports.rawValue)
    let status: ExitStatus
    do throws(Errno) { status = try ChildProcess(pid: pid).wait() } catch { throw Failure(step: .start, error: error) }
    if let failure { throw failure }
    return status
  }

  /// Ends the child, which has not gone on yet.
  package consuming func abandon() {
    kill(pid, SIGKILL)
    _ = try? ChildProcess(pid: pid).wait()
  }

  private static func pipe() throws(Failure) -> Pipe {
    do throws(Errno) { return try Syscall.pipe() } catch { throw Failure(step: .start, error: error) }
  }

  private static func environment(with variables: [String: String]) -> [[UInt8]] {
    var entries: [[UInt8]] = []
    var entry = stowage_environ()
    while let text = entry?.pointee {
      let bytes = Array(UnsafeBufferPointer(start: text, count: strlen(text)).map(UInt8.init(bitPattern:)))
      let name = String(decoding: bytes.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self)
      if variables[name] == nil { entries.append(bytes) }
      entry = entry?.successor()
    }
    return entries + variables.map { Array("\($0.key)=\($0.value)".utf8) }
  }

  /// A C string of its own, to be freed.
  private static func copy(_ bytes: [UInt8]) -> UnsafeMutablePointer<CChar>? {
    (bytes + [0]).withUnsafeBufferPointer { buffer in
      buffer.withMemoryRebound(to: CChar.self) { $0.baseAddress.map { strdup($0) } ?? nil }
    }
  }

  /// The next report, if it is about a failure.
  private static func readFailure(_ descriptor: CInt) -> Failure? {
    var report = stowage_namespace_report(step: 0, error: 0)
    let count = withUnsafeMutableBytes(of: &report) { buffer in (try? Syscall.read(descriptor, into: buffer)) ?? 0 }
    guard count == MemoryLayout<stowage_namespace_report>.size else { return nil }
    let error = Errno(rawValue: report.error)
    return switch stowage_namespace_step(UInt32(report.step)) {
    case STOWAGE_STEP_USER_NAMESPACE: Failure(step: .userNamespace, error: error)
    case STOWAGE_STEP_IDENTITY: Failure(step: .identity, error: error)
    case STOWAGE_STEP_MOUNT_NAMESPACE: Failure(step: .mountNamespace, error: error)
    case STOWAGE_STEP_EXECUTE: Failure(step: .execute, error: error)
    default: nil
    }
  }
}

extension ChildProcess {
  /// From now on SIGHUP, SIGINT and SIGTERM that other processes send to this one wait for ``forwardSignals()``. To be called
  /// before the child is started: it may tell others that it runs before this process can forward anything to it.
  package static func catchSignals() { stowage_catch_signals() }

  /// From now on SIGHUP, SIGINT and SIGTERM that other processes send to this one go to the child only, the last one that was
  /// caught before included; what the terminal sends it gets itself.
  package func forwardSignals() { stowage_forward_signals(pid) }
}
