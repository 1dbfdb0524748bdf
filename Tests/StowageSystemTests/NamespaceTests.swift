// SPDX-License-Identifier: Apache-2.0
import Glibc
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// What changes the process or a thread is done in a process of its own. Expected values: `/proc`.
@Suite("Namespaces and limits", .tags(.root), .enabled(if: isRoot, "namespaces and mounts need root"))
struct NamespaceTests {
  @Test func `A user namespace has the maps that were asked for, and lives as long as its descriptor`() throws {
    let maps = IDMaps(
      uids: [
        IDMapping(containerID: 0, hostID: 1000, size: 1), IDMapping(containerID: 1, hostID: 100_000, size: 65536),
      ],
      gids: [IDMapping(containerID: 0, hostID: 2000, size: 10)])
    let namespace = try Syscall.userNamespace(maps)
    let path = "/proc/\(getpid())/fd/\(namespace.rawValue)"
    let shown = try run("nsenter", "--user=\(path)", "cat", "/proc/self/uid_map", "/proc/self/gid_map")
    let numbers = shown.outputText.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
    #expect(numbers == ["0 1000 1", "1 100000 65536", "0 2000 10"])
    let identity = try Syscall.userNamespace(IDMaps(uids: [], gids: []))
    let whole = try run("nsenter", "--user=/proc/\(getpid())/fd/\(identity.rawValue)", "cat", "/proc/self/uid_map")
    #expect(whole.outputText.split(separator: " ").joined(separator: " ") == "0 0 4294967295\n")
  }

  @Test func `Maps that overlap are refused`() {
    let twice = [IDMapping(containerID: 0, hostID: 0, size: 10), IDMapping(containerID: 5, hostID: 100, size: 10)]
    #expect(throws: Errno.invalidArgument) { _ = try Syscall.userNamespace(IDMaps(uids: twice, gids: [])) }
  }

  @Test func `A copy of a mount shows other owners`() throws {
    try withTemporaryDirectory { directory in
      for name in ["source", "target"] { try Syscall.mkdir(directory.appending(name), mode: 0o755) }
      try Syscall.mount(source: "tmpfs", target: directory.appending("source"), type: "tmpfs")
      try directory.appending("source/f").write("")
      let maps = [IDMapping(containerID: 0, hostID: 100_000, size: 10)]
      let namespace = try Syscall.userNamespace(IDMaps(uids: maps, gids: maps))
      let tree = try Syscall.idMappedCopy(of: directory.appending("source"), namespace.rawValue)
      try Syscall.moveMount(tree.rawValue, to: directory.appending("target"))
      let owner = try run("stat", "-c", "%u %g", directory.appending("target/f").string)
      #expect(owner.outputText == "100000 100000\n")
      for name in ["target", "source"] { try Syscall.umount(directory.appending(name), flags: .detach) }
    }
  }

  @Test func `This program starts anew in a user namespace and waits for its maps`() async {
    await #expect(processExitsWith: .success) {
      let child = try NamespaceChild.start(addingToName: "-inside", variables: ["STOWAGE_TEST": "value"])
      let pid = child.pid
      let namespaces = try ["self", "\(pid)"].map { try Syscall.readlink(FilePath("/proc/\($0)/ns/user")) }
      #expect(namespaces[0] != namespaces[1])
      #expect(try FilePath("/proc/\(pid)/uid_map").readText().isEmpty)
      child.abandon()
      #expect(!FilePath("/proc/\(pid)").exists)
    }
  }

  @Test func `The child goes on as root of its namespace, in the program that is running`() async {
    await #expect(processExitsWith: .success) {
      // The dynamic linker obeys: it ends after listing libraries. Else the tests would run once more.
      let child = try NamespaceChild.start(addingToName: "-inside", variables: ["LD_TRACE_LOADED_OBJECTS": "1"])
      for (file, text) in [("uid_map", "0 1000 1\n"), ("gid_map", "0 1000 1\n")] {
        try Syscall.writeSetting(FilePath("/proc/\(child.pid)/\(file)"), text)
      }
      #expect(try child.proceed() == .exited(0))
    }
  }

  @Test func `Without maps the child cannot become root, and says so`() async {
    await #expect(processExitsWith: .success) {
      let child = try NamespaceChild.start(addingToName: "", variables: ["LD_TRACE_LOADED_OBJECTS": "1"])
      do throws(NamespaceChild.Failure) {
        _ = try child.proceed()
        Issue.record("no error")
      } catch {
        #expect("\(error.step)" == "identity")
        #expect(error.error == .invalidArgument)
      }
    }
  }

  @Test func `A thread moves into a mount namespace of its own`() async {
    await #expect(processExitsWith: .success) {
      func current() throws -> [UInt8] { try Syscall.readlink("/proc/thread-self/ns/mnt") }
      let former = try current()
      try Syscall.unshare([.mount, .fileSystemContext])
      #expect(try current() != former)
    }
  }

  @Test func `The limit of descriptors is raised as far as it goes, and taken back`() async {
    await #expect(processExitsWith: .success) {
      func limits() -> [Substring] {
        let lines = (try? FilePath("/proc/self/limits").readText())?.split(separator: "\n") ?? []
        return lines.first { $0.hasPrefix("Max open files") }?.split(separator: " ").dropFirst(3).prefix(2).map { $0 }
          ?? []
      }
      // Taking back what was not raised changes nothing.
      let former = limits()
      restoreDescriptorLimit()
      #expect(limits() == former)
      let set = try run("prlimit", "--nofile=200:300", "--pid", "\(getpid())")
      #expect(set.isSuccess)
      raiseDescriptorLimit()
      #expect(limits() == ["300", "300"])
      raiseDescriptorLimit()
      restoreDescriptorLimit()
      #expect(limits() == ["200", "300"])
    }
  }
}
