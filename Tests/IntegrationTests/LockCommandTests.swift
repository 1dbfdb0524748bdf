// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import Testing

/// What a user sees of locks.
@Suite("Locks seen from outside") struct LockCommandTests {
  private let holder = """
    import fcntl, sys, time
    f = open(sys.argv[1], 'r+')
    fcntl.lockf(f, fcntl.LOCK_SH if len(sys.argv) > 3 else fcntl.LOCK_EX)
    print('held', flush=True)
    time.sleep(float(sys.argv[2]))
    """

  @Test(.enabled(if: commandExists("python3"), "python3 takes the locks of other programs"))
  func `A lock that is not free in time ends the command, and the holder is named`() throws {
    let store = try CommandStore("vfs")
    try store("create-layer", "-n", "one")
    let lock = "\(store.graphRoot)/vfs-layers/layers.lock"
    let process = try start(["python3", "-c", holder, lock, "30"])
    defer { process.signal(9) }
    #expect(try process.waitForOutput("held"))
    let result = try store("layers", "--lock-timeout", "1")
    #expect(result.status == .exited(1))
    #expect(result.errorText.contains("\(lock) is still locked by process \(process.pid) (python3)"))
    let wrong = try store("layers", "--lock-timeout", "soon")
    #expect(wrong.status == .exited(1))
    #expect(wrong.outputText.contains("--lock-timeout takes a number of seconds, not \"soon\""))
  }

  @Test(.enabled(if: commandExists("python3"), "python3 takes the locks of other programs"))
  func `Who reads does not wait for others who read`() throws {
    let store = try CommandStore("vfs")
    try store("create-layer", "-n", "one")
    try store("create-image", "-n", "web", "one")
    let locks = ["layers", "images", "containers"].map { "\(store.graphRoot)/vfs-\($0)/\($0).lock" }
    let holders = try locks.map { try start(["python3", "-c", holder, $0, "30", "shared"]) }
    defer { for process in holders { process.signal(9) } }
    for process in holders { #expect(try process.waitForOutput("held")) }
    for command in [["layers"], ["images"], ["containers"], ["exists", "web"], ["diff", "one"]] {
      let words = [command[0], "--lock-timeout", "1"] + command.dropFirst()
      #expect(try store.run(words).isSuccess, "\(command)")
    }
    #expect(try store("delete-image", "--lock-timeout", "1", "web").status == .exited(1))
  }

  @Test(.tags(.slow), .enabled(if: commandExists("python3"), "python3 takes the locks of other programs"))
  func `A wait of more than two seconds is told, with the file and the process`() throws {
    let store = try CommandStore("vfs")
    try store("create-layer", "-n", "one")
    let lock = "\(store.graphRoot)/vfs-layers/layers.lock"
    let process = try start(["python3", "-c", holder, lock, "4"])
    #expect(try process.waitForOutput("held"))
    let result = try store("layers")
    _ = try process.wait()
    #expect(result.isSuccess)
    #expect(result.errorText == "waiting for the lock \(lock), which is held by process \(process.pid) (python3)\n")
  }
}
