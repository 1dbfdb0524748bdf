// SPDX-License-Identifier: Apache-2.0
import Glibc
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@Suite("Running programs") struct SpawnTests {
  private func output(_ program: String, _ arguments: [String], name: String? = nil, environment: [String]? = nil)
    throws -> String
  {
    let pipe = try Syscall.pipe()
    let child = try Syscall.spawn(
      program, arguments, name: name, environment: environment, output: pipe.writer.rawValue)
    let reader = pipe.closingWriter()
    let bytes = try Syscall.readAll(reader.rawValue)
    #expect(try child.wait().isSuccess)
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test(arguments: [0, 1, 2, 125, 255])
  func `The status is the program's own`(_ status: Int) throws {
    let result = try Syscall.run("sh", ["-c", "exit \(status)"])
    #expect(result.status == .exited(status))
    #expect(result.status.isSuccess == (status == 0))
    #expect(result.status.referenceText == "exit status \(status)")
  }

  @Test(arguments: [
    (1, "hangup"), (2, "interrupt"), (6, "aborted"), (9, "killed"), (11, "segmentation fault"), (15, "terminated"),
  ])
  func `A signal is told by its number and the reference's name, with or without a core`(_ number: Int, _ name: String)
    throws
  {
    let result = try Syscall.run("sh", ["-c", "ulimit -c 0; kill -\(number) $$"])
    #expect(result.status == .signaled(number))
    #expect(result.status.description == "signal: \(number)")
    #expect(result.status.referenceText == "signal: \(name)")
    #expect(!result.status.isSuccess)
  }

  @Test func `A program is looked up in the path, or is the file that is named`() throws {
    #expect(try output("echo", ["a b", ""]) == "a b \n")
    #expect(throws: Errno.noSuchFileOrDirectory) { _ = try Syscall.spawn("stowage-no-such-program", []) }
    #expect(throws: Errno.noSuchFileOrDirectory) { _ = try Syscall.spawn("/nonexistent", []) }
    #expect(throws: Errno.permissionDenied) { _ = try Syscall.spawn("/etc/passwd", []) }
    #expect(throws: Errno.permissionDenied) { _ = try Syscall.spawn("/", []) }
    #expect(throws: Errno.noSuchFileOrDirectory) { _ = try Syscall.spawn("true", [], directory: "/nonexistent") }
    #expect(throws: Errno.notDirectory) { _ = try Syscall.spawn("true", [], directory: "/dev/null") }
  }

  @Test func `Name and arguments arrive as they are given`() throws {
    let arguments = ["", " ", "'\"$\\", "é漢😀", "-x"]
    let list = "tr '\\0' '\\n' < /proc/$$/cmdline"
    #expect(
      try output("sh", ["-c", list] + arguments, name: "other name")
        == (["other name", "-c", list] + arguments).joined(separator: "\n") + "\n")
  }

  @Test func `The environment is this process', or exactly what is given`() throws {
    #expect(try output("/usr/bin/env", [], environment: ["A=1", "B=x=y", "C="]) == "A=1\nB=x=y\nC=\n")
    #expect(try output("/usr/bin/env", [], environment: []).isEmpty)
    let inherited = try output("/usr/bin/env", ["-0"]).split(separator: "\0").map(String.init)
    #expect(inherited.contains("PATH=\(environmentValue("PATH") ?? "")"))
  }

  @Test func `Streams that are not given are empty and swallow everything`() throws {
    let child = try Syscall.spawn("sh", ["-c", "echo out; echo err >&2; exec cat"])
    #expect(try child.wait() == .exited(0))
    let links = try output("sh", ["-c", "readlink /proc/$$/fd/0 /proc/$$/fd/2"])
    #expect(links == "/dev/null\n/dev/null\n")
  }

  @Test func `Of a long standard error the beginning is kept and the rest read`() throws {
    let result = try Syscall.run("sh", ["-c", "seq 1 100000 >&2; exit 4"])
    #expect(result.status == .exited(4))
    #expect((65_536..<65_536 + 4096).contains(result.error.count))
    #expect(result.error.starts(with: Array("1\n2\n3\n".utf8)))
  }

  @Test func `A program that cannot be started leaves no descriptor open`() throws {
    let names = { try Set(Syscall.directoryNames("/proc/self/fd")) }
    _ = try? Syscall.run("/nonexistent", [])
    let before = try names()
    for _ in 0..<50 { #expect(throws: Errno.self) { try Syscall.run("/nonexistent", []) } }
    // Other tests open descriptors at the same time, but not fifty.
    #expect(try names().count < before.count + 50)
  }
}

/// Expected values: what the C library, Go's package syscall and `getent` say.
@Suite("Names of errors, programs and users") struct LookupTests {
  @Test func `Errors are shown with a small first letter, but for abbreviations`() throws {
    let script = "import os; print('\\n'.join(os.strerror(n) for n in range(1, 134)))"
    let lines = try run("python3", "-c", script).outputText.split(separator: "\n")
    for (index, line) in lines.enumerated() where !line.hasPrefix("Unknown") {
      let ours = Errno(rawValue: CInt(index + 1)).referenceText
      #expect(ours.lowercased() == line.lowercased())
      let isAbbreviation = line.prefix(2).allSatisfy { $0.isUppercase }
      #expect(ours.first?.isUppercase == isAbbreviation, "\(line)")
    }
    #expect(Errno(rawValue: 73).referenceText == "RFS specific error")
  }

  @Test(arguments: [41, 58, 9999, -1])
  func `A number that means nothing is shown as the reference shows it`(_ number: CInt) {
    #expect(Errno(rawValue: number).referenceText == "errno \(number)")
  }

  @Test func `Every user is found by number, with name and home`() throws {
    let listed = try run("getent", "passwd").outputText.split(separator: "\n")
    try #require(!listed.isEmpty)
    var seen: Set<UInt32> = []
    for line in listed {
      let fields = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      // Of two names with one number the first is meant.
      guard let uid = UInt32(fields[2]), seen.insert(uid).inserted else { continue }
      let entry = try #require(UserEntry(uid: uid))
      #expect(entry.name == fields[0] && entry.home == fields[5])
    }
    #expect(UserEntry(uid: 4_294_967_000) == nil)
  }

  @Test func `The effective capabilities are those of the kernel's list`() throws {
    let line = try FilePath("/proc/thread-self/status").readText().split(separator: "\n").first {
      $0.hasPrefix("CapEff")
    }
    let mask = try #require(UInt64(line?.split(separator: "\t").last ?? "", radix: 16))
    for number in 0..<64 { #expect(hasCapability(number) == (mask >> UInt64(number) & 1 == 1)) }
  }

  @Test func `A signal that comes before the child is known reaches it all the same`() async {
    await #expect(processExitsWith: .success) {
      ChildProcess.catchSignals()
      kill(getpid(), SIGTERM)
      let child = try Syscall.spawn("sleep", ["60"])
      child.forwardSignals()
      #expect(try child.wait() == .signaled(Int(SIGTERM)))
    }
  }

  @Test func `A name with a slash is a file, another is looked for in absolute directories of the path`() async {
    #expect(Executable.find("./x/y") == "./x/y")
    #expect(Executable.find("/nonexistent/program") == "/nonexistent/program")
    #expect(Executable.notFoundText("x") == #"exec: "x": executable file not found in $PATH"#)
    await #expect(processExitsWith: .success) {
      try withTemporaryDirectory { directory in
        for name in ["a", "b", "c"] { try Syscall.mkdir(directory.appending(name), mode: 0o755) }
        try directory.appending("a/tool").write("", mode: 0o644)
        try Syscall.mkdir(directory.appending("b/tool"), mode: 0o755)
        try directory.appending("c/tool").write("", mode: 0o755)
        try directory.appending("tool").write("", mode: 0o755)
        let path = ["", ".", "relative", "/nonexistent"] + ["a", "b", "c"].map { directory.appending($0).string }
        setenv("PATH", path.joined(separator: ":"), 1)
        #expect(Executable.find("tool") == directory.appending("c/tool"))
        #expect(Executable.find("other") == nil)
        unsetenv("PATH")
        #expect(Executable.find("tool") == nil)
      }
    }
  }
}
