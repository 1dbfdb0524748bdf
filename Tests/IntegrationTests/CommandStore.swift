// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// A store in a scratch directory, driven through a command-line program.
///
/// The configuration names no driver option and both roots in the scratch directory, so that the host's has no effect.
final class CommandStore: Sendable {
  let directory: TemporaryDirectory
  let program: String
  let driver: String
  private let user: OrdinaryUser?
  /// Whether it is looked after each command of the program under test what was on disk when.
  private let checksFlushes: Bool

  var graphRoot: String { directory.appending("g").string }
  var runRoot: String { directory.appending("r").string }
  var imageStore: String { directory.appending("i").string }
  var configuration: String { directory.appending("storage.conf").string }

  /// - Parameters:
  ///   - program: the one to run; nil for the one under test.
  ///   - user: who runs it, and owns the store; nil for the user of this process.
  ///   - checksFlushes: each command records its calls, and their order is judged; see `FlushOrder`.
  init(_ driver: String, program: String? = nil, as user: OrdinaryUser? = nil, checksFlushes: Bool = false) throws {
    self.checksFlushes = checksFlushes
    self.driver = driver
    self.program = try program ?? user?.program ?? stowageExecutable().string
    self.user = user
    directory = try TemporaryDirectory("command")
    try directory.appending("storage.conf").write(
      "[storage]\ndriver = \"\(driver)\"\ngraphroot = \"\(graphRoot)\"\nrunroot = \"\(runRoot)\"\n")
    if let user { _ = try StowageTestSupport.run("chown", "\(user.name):", directory.path.string) }
  }

  deinit {
    // What an ordinary user mounts ends with the command.
    if user != nil { return }
    // Overlay leaves its home mounted on itself. Debian's program never ends if something is still mounted.
    _ = try? StowageTestSupport.run(["timeout", "10"] + words(["shutdown", "-f"]), adding: environment)
  }

  /// The variables that every command gets.
  var environment: [String: String] { ["CONTAINERS_STORAGE_CONF": configuration, "TZ": "UTC"] }

  /// The words of a command on this store, the program first.
  func words(_ command: [String]) -> [String] {
    [program, "-g", graphRoot, "-R", runRoot, "-s", driver] + command
  }

  /// Runs a command on this store.
  @discardableResult
  func callAsFunction(
    _ command: String..., input: [UInt8]? = nil, adding variables: [String: String] = [:]
  ) throws -> ProcessResult {
    try run(command, input: input, adding: variables)
  }

  /// Runs a command on this store.
  @discardableResult
  func run(
    _ command: [String], input: [UInt8]? = nil, adding variables: [String: String] = [:]
  ) throws -> ProcessResult {
    try bare(words(command).dropFirst(), input: input, adding: variables)
  }

  /// Starts a command on this store and does not wait for it.
  func start(_ command: String...) throws -> RunningProcess {
    try StowageTestSupport.start(words(command), adding: environment, directory: directory.path)
  }

  /// Runs the program with exactly these words.
  func bare(
    _ words: some Sequence<String>, input: [UInt8]? = nil, adding variables: [String: String] = [:]
  ) throws -> ProcessResult {
    try runOther([program] + words, input: input, adding: variables)
  }

  /// Runs any program as this store's user, in its directory.
  @discardableResult
  func runOther(
    _ words: [String], input: [UInt8]? = nil, adding variables: [String: String] = [:]
  ) throws -> ProcessResult {
    let variables = environment.merging(variables) { $1 }
    if let user {
      return try StowageTestSupport.run(
        user.words(words, adding: variables), input: input, directory: directory.path)
    }
    if checksFlushes, words.first == program { return try runTraced(words, input, variables) }
    return try StowageTestSupport.run(words, input: input, adding: variables, directory: directory.path)
  }

  private func runTraced(
    _ words: [String], _ input: [UInt8]?, _ variables: [String: String]
  ) throws -> ProcessResult {
    let trace = directory.appending("trace")
    if trace.exists { try Syscall.unlink(trace) }
    let records = try recordFiles()
    let result = try StowageTestSupport.run(
      words, input: input, adding: variables.merging(["STOWAGE_TRACE": trace.string]) { $1 }, directory: directory.path)
    guard trace.exists else { return result }
    let calls = FlushOrder.Call.read(try trace.readText(), below: [graphRoot, imageStore])
    let objections = FlushOrder.objections(to: calls, after: records)
    #expect(objections.isEmpty, "\(words.joined(separator: " ")): \(objections.joined(separator: "\n"))")
    return result
  }

  /// The record files of graph root and image store that are there, by path.
  func recordFiles() throws -> [String: String] {
    var found: [String: String] = [:]
    for root in [graphRoot, imageStore] {
      for kind in ["layers", "images", "containers"] {
        let file = FilePath("\(root)/\(driver)-\(kind)/\(kind).json")
        if file.exists { found[file.string] = try file.readText() }
      }
    }
    return found
  }

  /// Replaces the text of a record file of the graph root, as another program does.
  func editRecords(of kind: String, _ change: (String) -> String) throws {
    let file = FilePath("\(graphRoot)/\(driver)-\(kind)/\(kind).json")
    let new = directory.appending("records")
    try new.write(change(try file.readText()))
    try Syscall.rename(new, file)
  }

  /// Writes a file beside the store and gives its path.
  func file(_ name: String, _ text: String) throws -> String {
    let path = directory.appending(name)
    try path.write(text)
    return path.string
  }
}

extension ProcessResult {
  /// Whether streams and status are exactly these.
  func shows(_ output: String = "", error: String = "", status: Int = 0) -> Bool {
    outputText == output && errorText == error && self.status == .exited(status)
  }

  /// The result with every time of creation and random identifier replaced, so that two runs compare.
  var normalized: ProcessResult {
    var result = self
    result.output = Array(Self.normalize(outputText).utf8)
    result.error = Array(Self.normalize(errorText).utf8)
    return result
  }

  private static func normalize(_ text: String) -> String {
    var text = text.replacing(#/"created":"[^"]*"/#, with: #""created":"…""#)
    text = text.replacing(#/time="[^"]*"/#, with: #"time="…""#)
    return text.replacing(#/\b[0-9a-f]{64}\b/#, with: "<64>")
  }
}

extension ProcessResult: Equatable {
  static func == (a: ProcessResult, b: ProcessResult) -> Bool {
    a.status == b.status && a.output == b.output && a.error == b.error
  }
}

/// Drivers that can be used here, with the reason where one cannot.
enum Drivers {
  static let all = isRoot ? ["vfs", "overlay"] : ["vfs"]
}
