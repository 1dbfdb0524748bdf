// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Entering a user namespace (cli 9 and 22.8; configuration-and-idmaps 16, 21.27 to 21.30, 22).
@Suite("Without the rights of root", .tags(.root), .enabled(if: isRoot, "makes users"), .serialized)
struct RootlessTests {
  /// Lines of an ID map, in the kernel's columns.
  private func map(_ ranges: (inside: Int, outside: Int, count: Int)...) -> String {
    func column(_ number: Int) -> String { String(repeating: " ", count: 10 - "\(number)".count) + "\(number)" }
    return ranges.map { "\(column($0.inside)) \(column($0.outside)) \(column($0.count))\n" }.joined()
  }

  /// What the log lines on standard error say.
  private func messages(_ result: ProcessResult) -> [String] {
    result.errorText.matches(of: #/ level=(\w+) msg="((?:[^"\\]|\\.)*)"/#).map {
      "\($0.output.1): \($0.output.2.replacing("\\\"", with: "\""))"
    }
  }

  private func ordinaryUser(uids: Bool = true, gids: Bool = true) throws -> OrdinaryUser {
    let user = try OrdinaryUser(uids: uids, gids: gids)
    try user.configure("[storage]\ndriver = \"overlay\"\n")
    return user
  }

  @Test
  func `A command runs as root of a namespace that has the caller as 0 and the subordinate IDs from 1 on`() throws {
    let user = try ordinaryUser()
    let own = Int(user.uid)
    let uids = try user.stowage("unshare", "cat", "/proc/self/uid_map")
    #expect(uids.shows(map((0, own, 1), (1, 500_000, 65536))), "\(uids)")
    let gids = try user.stowage("unshare", "cat", "/proc/self/gid_map", "/proc/self/setgroups")
    #expect(gids.shows(map((0, own, 1), (1, 600_000, 65536)) + "allow\n"), "\(gids)")
    let environment = try user.shell("$S unshare sh -c 'id -u; id -g; env | grep -e CONTAINERS_ -e BUILDAH | sort'")
    #expect(
      environment.shows(
        """
        0
        0
        BUILDAH_ISOLATION=rootless
        _CONTAINERS_ROOTLESS_GID=\(own)
        _CONTAINERS_ROOTLESS_UID=\(own)
        _CONTAINERS_USERNS_CONFIGURED=done

        """), "\(environment)")
  }

  @Test func `Inside, no further namespace is made, and variables that were set stay`() throws {
    let user = try ordinaryUser()
    let nested = try user.shell(
      "$S unshare sh -c 'readlink /proc/self/ns/user; $S unshare readlink /proc/self/ns/user; $S unshare id -u'")
    let lines = nested.outputText.split(separator: "\n")
    #expect(lines.count == 3 && lines[0] == lines[1] && lines[2] == "0", "\(nested)")
    let kept = try user.stowage(
      "unshare", "sh", "-c", "echo $BUILDAH_ISOLATION", adding: ["BUILDAH_ISOLATION": "chroot"])
    #expect(kept.shows("chroot\n"), "\(kept)")
  }

  @Test(arguments: [
    (["sh", "-c", "exit 3"], "exit status 3\n"),
    (["nosuch"], "exec: \"nosuch\": executable file not found in $PATH\n"),
    (["sh", "-c", "kill -9 $$"], "signal: killed\n"), (["/x"], "fork/exec /x: no such file or directory\n"),
    (["/etc"], "fork/exec /etc: permission denied\n"),
  ])
  func `Any failure of the command is status 1`(command: [String], text: String) throws {
    let user = try ordinaryUser()
    let result = try user.run([user.program, "unshare"] + command)
    #expect(result.shows(error: text, status: 1), "\(result)")
  }

  @Test func `Its own status is passed on if that is asked for`() throws {
    let user = try ordinaryUser()
    let exited = try user.stowage("unshare", "--exit-status", "sh", "-c", "exit 3")
    #expect(exited.shows(error: "exit status 3\n", status: 3), "\(exited)")
    let killed = try user.stowage("unshare", "--exit-status", "sh", "-c", "kill -9 $$")
    #expect(killed.shows(error: "signal: killed\n", status: 137), "\(killed)")
  }

  @Test func `Without a command it runs the shell of the environment, else sh`() throws {
    let user = try ordinaryUser()
    let chosen = try user.stowage("unshare", adding: ["SHELL": "/usr/bin/id"])
    #expect(chosen.outputText.hasPrefix("uid=0(root) gid=0(root)"), "\(chosen)")
    let other = try user.shell("echo 'echo $0' | $S unshare")
    #expect(other.shows("/bin/sh\n"), "\(other)")
  }

  @Test func `Without subordinate IDs, three warnings and no ID but the caller's`() throws {
    let user = try ordinaryUser(uids: false, gids: false)
    let (name, own) = (user.name, Int(user.uid))
    let result = try user.stowage("unshare", "cat", "/proc/self/uid_map", "/proc/self/gid_map")
    #expect(result.outputText == map((0, own, 1)) + map((0, own, 1)), "\(result)")
    #expect(
      messages(result) == [
        "warning: Reading allowed ID mappings: reading subuid mappings for user \"\(name)\" and subgid mappings for "
          + "group \"\(name)\": no subuid ranges found for user \"\(name)\" in /etc/subuid",
        "warning: Found no UID ranges set aside for user \"\(name)\" in /etc/subuid.",
        "warning: Found no GID ranges set aside for user \"\(name)\" in /etc/subgid.",
      ])
    let layer = try user.stowage("create-layer", "--id", "x1")
    #expect(layer.outputText == "x1\n", "\(layer)")
  }

  @Test(.tags(.driver), arguments: ["overlay", "vfs"])
  func `Owners without an ID stop an import, unless errors of chown are to be ignored`(driver: String) throws {
    let user = try OrdinaryUser(uids: false, gids: false)
    try user.configure("[storage]\ndriver = \"\(driver)\"\n")
    let packed = try user.shell("echo content > file; tar --numeric-owner --owner=5 --group=6 -cf layer.tar file")
    try #require(packed.isSuccess, "\(packed)")
    let refused = try user.stowage("import-layer", "--id", "x1", "-f", "layer.tar")
    #expect(
      refused.errorText.contains(
        "potentially insufficient UIDs or GIDs available in user namespace (requested 5:6 for /file): Check /etc/subuid "
          + "and /etc/subgid if configured locally and run \"podman system migrate\": lchown /file: invalid argument"),
      "\(refused)")
    #expect(refused.status == .exited(1))
    #expect(try user.stowage("layers").outputText.isEmpty)
    let option = "\(driver).ignore_chown_errors=true"
    let taken = try user.stowage("import-layer", "--storage-opt", option, "--id", "x1", "-f", "layer.tar")
    #expect(taken.outputText == "x1\n", "\(taken)")
    let place = driver == "vfs" ? "vfs/dir/x1/file" : "overlay/x1/diff/file"
    let file = try Syscall.stat(user.home.appending(".local/share/containers/storage/\(place)"))
    #expect(file.uid == user.uid && file.gid == user.uid)
    let again = try user.shell("$S diff x1 > again.tar; cmp again.tar layer.tar && echo equal")
    #expect(again.outputText == "equal\n", "\(again)")
  }

  @Test func `Subordinate IDs of one kind are not lost with the other's`() throws {
    let user = try ordinaryUser(gids: false)
    let (name, own) = (user.name, Int(user.uid))
    let result = try user.stowage("unshare", "cat", "/proc/self/uid_map", "/proc/self/gid_map")
    #expect(result.outputText == map((0, own, 1), (1, 500_000, 65536)) + map((0, own, 1)), "\(result)")
    #expect(
      messages(result).dropFirst() == ["warning: Found no GID ranges set aside for user \"\(name)\" in /etc/subgid."])
  }

  @Test(arguments: [true, false])
  func `Helper programs that fail or are missing leave the caller's ID, with a warning`(isThere: Bool) throws {
    let user = try ordinaryUser()
    let own = Int(user.uid)
    let tools = user.home.appending("bin")
    _ = try user.run(["mkdir", tools.string])
    if isThere {
      for name in ["newuidmap", "newgidmap"] {
        try tools.appending(name).write("#!/bin/sh\necho no such luck >&2\nexit 1\n", mode: 0o755)
      }
    }
    let result = try user.stowage(
      "unshare", "/bin/cat", "/proc/self/uid_map", "/proc/self/gid_map", adding: ["PATH": tools.string])
    #expect(result.outputText == map((0, own, 1)) + map((0, own, 1)), "\(result)")
    let single = "warning: Falling back to single mapping"
    let missing = ["newgidmap", "newuidmap"].flatMap {
      ["warning: finding \($0): exec: \"\($0)\": executable file not found in $PATH", single]
    }
    let failing = [
      "warning: running newgidmap: exit status 1: no such luck",
      "warning: \(tools)/newgidmap should be setgid or have filecaps setgid", single,
      "warning: Error running newuidmap: exit status 1: no such luck",
      "warning: \(tools)/newuidmap should be setuid or have filecaps setuid", single,
    ]
    #expect(messages(result) == (isThere ? failing : missing))
  }

  @Test func `A caller whom the user database does not know is refused`() throws {
    let directory = try TemporaryDirectory("nobody")
    let program = directory.appending("containers-storage").string
    _ = try run("cp", try stowageExecutable().string, program)
    _ = try run("chmod", "755", directory.path.string)
    let result = try run([
      "setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups", "env", "HOME=/", "XDG_RUNTIME_DIR=/tmp",
      program, "unshare", "true",
    ])
    #expect(messages(result) == ["error: error determining current user: user: unknown userid 54321"], "\(result)")
    #expect(result.status == .exited(1))
  }

  @Test func `Every command that opens a store enters, unless told not to`() throws {
    let user = try ordinaryUser()
    let inside = try user.stowage("create-layer", "--id", "x1")
    #expect(inside.shows("x1\n"), "\(inside)")
    let store = user.home.appending(".local/share/containers/storage")
    #expect(store.appending("overlay/x1/diff").exists)
    #expect(try Syscall.stat(store.appending("overlay-layers/layers.json")).uid == user.uid)
    for words in [["layers", "--unshare=false"], ["--unshare=false", "layers"]] {
      let outside = try user.run([user.program] + words)
      #expect(outside.outputText.contains("operation not permitted"), "\(outside)")
      #expect(outside.status == .exited(1))
    }
    let asked = try user.stowage("--unshare=false", "layers", "-U")
    #expect(asked.shows("x1\n"), "\(asked)")
  }

  @Test func `A mount outside of unshare, which would end with its command, is refused and does not stay counted`()
    throws
  {
    let user = try ordinaryUser()
    _ = try user.stowage("create-layer", "--id", "x1")
    let mounted = try user.stowage("mount", "x1")
    let place = "\(user.home)/.local/share/containers/storage/overlay/x1/merged\n"
    let reason =
      "without the rights of root a mount ends with the command that makes it: run \"unshare\", and mount in its shell"
    #expect(mounted.shows("\n", error: "\(reason) while mounting x1\n", status: 1), "\(mounted)")
    let document = try user.stowage("mount", "-j", "x1").outputText
    #expect(document.contains(#""mountpoint":"""#) && document.contains("without the rights of root"))
    #expect(try user.stowage("mounted", "x1").shows())
    let unshared = try user.shell(
      """
      $S unshare sh -ec '
        $S mounted x1; M=$($S mount x1); echo "$M"; echo content > "$M/file"; $S mounted x1; $S unmount x1; ls "$M"'
      $S unshare sh -ec 'M=$($S mount x1); cat "$M/file"; $S unmount x1'
      """)
    #expect(
      unshared.shows("\(place)x1 mounted\nx1 mountpoint unmounted\ncontent\nx1 mountpoint unmounted\n"),
      "\(unshared)")
  }

  @Test func `Signals reach the command inside, whose end is told`() throws {
    let user = try ordinaryUser()
    let script = "trap 'echo got; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    let process = try start(user.words([user.program, "unshare", "sh", "-c", script]), directory: user.home)
    #expect(try process.waitForOutput("ready"))
    process.signal(15)
    let result = try process.wait()
    #expect(result.shows("ready\ngot\n"), "\(result)")
  }

  @Test func `What runs inside ends when the outer process is killed`() throws {
    let user = try ordinaryUser()
    let script = "echo $PPID $$ ready; exec sleep 60"
    let process = try start(user.words([user.program, "unshare", "sh", "-c", script]), directory: user.home)
    #expect(try process.waitForOutput("ready"))
    let words = try process.outputSoFar().split(separator: " ").map(String.init)
    func isRunning() throws -> Bool {
      let state = try run("ps", "-o", "state=", "-p", words[0]).outputText
      return !state.isEmpty && !state.hasPrefix("Z")
    }
    #expect(try isRunning())
    process.signal(9)
    #expect(try process.wait().status == .signaled(9))
    var attempts = 100
    while try isRunning(), attempts > 0 {
      attempts -= 1
      _ = try run("sleep", "0.05")
    }
    #expect(attempts > 0)
    _ = try run("kill", words[1])
  }

  @Test func `Roots of the system that a user cannot write give way to the user's own`() throws {
    let user = try OrdinaryUser()
    let vendor = try TemporaryDirectory("vendor")
    let admin = try TemporaryDirectory("admin")
    try vendor.appending("storage.conf").write(
      "[storage]\ndriver = \"vfs\"\nrunroot = \"/proc/run\"\ngraphroot = \"/proc/graph\"\n")
    let script = """
      chmod 755 \(vendor.path) \(admin.path)
      mount --bind \(vendor.path) /usr/share/containers
      mount --bind \(admin.path) /etc/containers
      exec "$@"
      """
    _ = try run("mkdir", "-p", "/etc/containers", "/usr/share/containers")
    let prefix = ["unshare", "-m", "--propagation", "private", "sh", "-ec", script, "sh"]
    let made = try run(prefix + user.words([user.program, "create-layer", "--id", "x1"]))
    #expect(made.shows("x1\n"), "\(made)")
    #expect(user.home.appending(".local/share/containers/storage/vfs/dir/x1").exists)
    let remark = "/proc/run is not this user's to write, so the user's own directory is used"
    let explained = try run(prefix + user.words([user.program, "config", "--explain"]))
    #expect(explained.outputText.contains(remark), "\(explained)")
    // One that is meant for this user is obeyed, and what is wrong with it told.
    let own = admin.appending("storage.rootless.conf.d")
    _ = try run("mkdir", own.string)
    try own.appending("run.conf").write("[storage]\nrunroot = \"/proc/run\"\n")
    let refused = try run(prefix + user.words([user.program, "layers"]))
    #expect(refused.outputText == "error initializing: mkdir /proc/run: no such file or directory\n", "\(refused)")
    #expect(
      refused.errorText == """
        runroot "/proc/run" comes from /etc/containers/storage.rootless.conf.d/run.conf:2:11
        ~/.config/containers/storage.conf is read in its place if there is one, and need not name any root

        """)
  }

  @Test func `Real root enters one namespace and no more, and only if asked to`() throws {
    let store = try CommandStore("vfs")
    let own = try run("readlink", "/proc/self/ns/user").outputText
    let script = "readlink /proc/self/ns/user; cat /proc/self/uid_map; env | grep CONTAINERS_USERNS"
    let result = try store("unshare", "sh", "-c", script)
    let lines = result.outputText.split(separator: "\n", omittingEmptySubsequences: false)
    try #require(lines.count >= 4, "\(result)")
    #expect(lines[0] + "\n" != own)
    #expect(lines[1] + "\n" == map((0, 0, 1)))
    #expect(lines.dropLast().last == "_CONTAINERS_USERNS_CONFIGURED=1")
    // The reference warns at each of a dozen levels.
    #expect(messages(result).filter { $0.contains("Reading allowed ID mappings") }.count <= 1, "\(result)")
    #expect(result.status == .exited(0))
    let asked = try store("create-layer", "--id", "x1", "-U")
    #expect(asked.outputText == "x1\n" && asked.isSuccess, "\(asked)")
    let inside = try store("unshare", "readlink", "/proc/self/ns/user", adding: ["_CONTAINERS_USERNS_CONFIGURED": "1"])
    #expect(inside.shows(own), "\(inside)")
    #expect(try store("layers").shows("x1\n"))
  }

  @Test func `Root without CAP_SYS_ADMIN enters like everybody else`() throws {
    let store = try CommandStore("overlay")
    func weakly(_ words: String...) throws -> ProcessResult {
      try run(
        ["setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"] + store.words(words),
        adding: store.environment)
    }
    let outside = try weakly("create-layer", "--id", "x1", "--unshare=false")
    #expect(outside.outputText.contains("operation not permitted") && !outside.isSuccess, "\(outside)")
    let inside = try weakly("create-layer", "--id", "x1")
    #expect(inside.outputText == "x1\n" && inside.isSuccess, "\(inside)")
  }
}
