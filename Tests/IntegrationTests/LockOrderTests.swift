// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Stores that name each other in opposite roles (store-semantics 27.2.1): with the reference they block each other for
/// ever at the first attempt.
@Suite("Order of locks", .serialized) struct LockOrderTests {
  @Test(.tags(.slow), arguments: ["image store", "additional store"])
  func `Graph roots that name each other as image store or additional store do not block each other`(role: String)
    throws
  {
    let directory = try TemporaryDirectory("order")
    let program = try stowageExecutable().string
    let rounds = environmentValue("STOWAGE_LOCK_ROUNDS").flatMap { Int($0) } ?? 15
    // An additional store must be there when it is named.
    for name in ["a", "b"] { try Syscall.mkdir(directory.appending(name), mode: 0o700) }
    var loops: [RunningProcess] = []
    for (own, other) in [("a", "b"), ("b", "a")] {
      let place = { (name: String) in directory.appending(name).string }
      let option =
        role == "image store"
        ? "--image-store \(place(other))" : "--storage-opt vfs.imagestore=\(place(other))"
      let command = "\(program) -g \(place(own)) -R \(place("run-" + own)) -s vfs \(option)"
      let script = """
        for i in $(seq \(rounds)); do
          timeout 20 \(command) create-layer -n \(own)$i >/dev/null || exit 1
          timeout 20 \(command) create-image -n \(own)$i "$(\(command) layer -q \(own)$i 2>/dev/null || echo \(own)$i)" \
            >/dev/null || exit 2
          timeout 20 \(command) add-names -n x\(own)$i \(own)$i >/dev/null || exit 3
        done
        """
      loops.append(try start(["sh", "-c", script]))
    }
    for loop in loops {
      let result = try loop.wait()
      #expect(result.isSuccess, "\(result)")
    }
  }
}
