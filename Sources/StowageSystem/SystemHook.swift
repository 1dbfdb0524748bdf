// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Synchronization
package import SystemPackage

/// Which steps a mutating call belongs to.
package enum StepClass: Sendable, Hashable {
  /// Calls that change the store's own structure: records, locks, staged directories, mounts. Always counted.
  case store
  /// Calls inside a layer's tree (extraction, copies, recursive removal). Counted only on demand.
  case layer
}

/// The point that every mutating system call of a debug build passes, for crash and fault tests.
///
/// The environment variable `STOWAGE_FAULT` of the process selects one of:
/// - `count=FILE`: append `number name path` to FILE for each step;
/// - `kill=N`: end the process with SIGKILL before step N (1 is the first);
/// - `fail=N:ERRNO` or `fail=N:ERRNO:once`: step N and all later ones (or only step N) fail with that error number.
///
/// With `,layer` appended, steps inside layer trees count as well. Release builds compile all of this out.
package enum SystemHook {
  #if STOWAGE_HOOKS
    /// A step as an in-process observer sees it.
    package struct Step: Sendable {
      /// Name of the call, for example `renameat2`.
      package let name: String
      /// The path or name acted on, as far as it is known.
      package let path: String
      /// The class of the step.
      package let stepClass: StepClass
    }

    /// In-process observer for unit tests; an error it returns is thrown by the call instead of acting.
    @TaskLocal package static var observer: (@Sendable (Step) -> Errno?)?

    private enum Action: Sendable { case count(String), kill(Int), fail(Int, Errno, once: Bool) }
    private struct Plan: Sendable {
      var action: Action
      var countsLayers: Bool
    }
    private static let plan: Plan? = readPlan()
    private static let counter = Atomic<Int>(0)

    /// Announces a mutating call; throws what the test wants the call to fail with.
    package static func step(
      _ name: String, _ path: @autoclosure () -> String, _ stepClass: StepClass = .store
    ) throws(Errno) {
      if let observer, let error = observer(Step(name: name, path: path(), stepClass: stepClass)) { throw error }
      guard let plan, stepClass == .store || plan.countsLayers else { return }
      let number = counter.add(1, ordering: .sequentiallyConsistent).newValue
      switch plan.action {
      case .count(let file): append("\(number) \(name) \(path())\n", to: file)
      case .kill(let target): if number == target { kill(getpid(), SIGKILL) }
      case .fail(let target, let error, let once):
        if number == target || (!once && number > target) { throw error }
      }
    }

    /// The body of a thread, which the observer of the thread that starts it sees, too.
    static func inherited(by body: @escaping @Sendable () -> Void) -> @Sendable () -> Void {
      guard let observer else { return body }
      return { $observer.withValue(observer) { body() } }
    }

    private static func append(_ line: String, to file: String) {
      let descriptor = Glibc.open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else { return }
      var text = line
      _ = text.withUTF8 { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      _ = Glibc.close(descriptor)
    }

    private static func readPlan() -> Plan? {
      guard let value = environmentValue("STOWAGE_FAULT") else { return nil }
      var text = Substring(value)
      let countsLayers = text.hasSuffix(",layer")
      if countsLayers { text = text.dropLast(6) }
      let parts = text.split(separator: "=", maxSplits: 1)
      guard parts.count == 2 else { return nil }
      switch parts[0] {
      case "count": return Plan(action: .count(String(parts[1])), countsLayers: countsLayers)
      case "kill": return Int(parts[1]).map { Plan(action: .kill($0), countsLayers: countsLayers) }
      case "fail":
        let fields = parts[1].split(separator: ":")
        guard fields.count >= 2, let number = Int(fields[0]), let code = errnoValue(fields[1]) else { return nil }
        let once = fields.count > 2 && fields[2] == "once"
        return Plan(action: .fail(number, code, once: once), countsLayers: countsLayers)
      default: return nil
      }
    }

    private static func errnoValue(_ text: Substring) -> Errno? {
      let names: [Substring: CInt] = [
        "EIO": EIO, "ENOSPC": ENOSPC, "EACCES": EACCES, "EPERM": EPERM, "EROFS": EROFS, "EDQUOT": EDQUOT,
        "ENOENT": ENOENT, "EBUSY": EBUSY, "EEXIST": EEXIST, "ENOMEM": ENOMEM, "EXDEV": EXDEV, "ENOLCK": ENOLCK,
      ]
      return (CInt(text) ?? names[text]).map { Errno(rawValue: $0) }
    }
  #else
    /// Does nothing in release builds.
    @inlinable @inline(__always)
    package static func step(
      _ name: StaticString, _ path: @autoclosure () -> String, _ stepClass: StepClass = .store
    ) throws(Errno) {}

    @inline(__always)
    static func inherited(by body: @escaping @Sendable () -> Void) -> @Sendable () -> Void { body }
  #endif
}

/// The value of an environment variable, nil if it is unset. See `getenv(3)`.
package func environmentValue(_ name: String) -> String? {
  getenv(name).map { String(cString: $0) }
}
