// SPDX-License-Identifier: Apache-2.0

import Glibc
import StowageModel
import StowageRegistry
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@Suite("Files of registries.conf") struct RegistriesFilesTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func search(_ name: String) -> String { "unqualified-search-registries = [\"\(name).example\"]\n" }
  private func alias(_ name: String, _ target: String) -> String { "[aliases]\n\"\(name)\" = \"\(target)\"\n" }
  private func message(_ body: () throws(StorageError) -> Void) -> String? {
    do throws(StorageError) { try body() } catch { return error.message }
    return nil
  }

  @Test func `Without files nothing is set, and nothing is made`() throws {
    #expect(try scratch.load() == RegistriesConfiguration())
    #expect(try scratch.load(uid: 1500) == RegistriesConfiguration())
    #expect(try scratch.directory.path.names().isEmpty)
  }

  @Test func `Only the strongest main file is read, and drop-ins behind it in the order of their names`() throws {
    try scratch.write(Scratch.vendor + "registries.conf", search("vendor") + alias("v", "q.io/v"))
    #expect(try scratch.load().registries == ["vendor.example"])
    try scratch.write(Scratch.admin + "registries.conf", search("admin"))
    #expect(try scratch.load().registries == ["admin.example"])
    #expect(try scratch.load().targets.isEmpty)
    try scratch.write(Scratch.user + "registries.conf", search("user"))
    #expect(try scratch.load().registries == ["user.example"])
    try scratch.write(Scratch.vendor + "registries.conf.d/90.conf", search("late"))
    try scratch.write(Scratch.user + "registries.conf.d/10.conf", search("early") + alias("a", "q.io/a"))
    #expect(try scratch.load().registries == ["late.example"])
    // Of equal names the strongest counts.
    try scratch.write(Scratch.admin + "registries.conf.d/90.conf", alias("b", "q.io/b"))
    #expect(try scratch.load().registries == ["early.example"])
    #expect(try scratch.load().targets == ["a": "q.io/a", "b": "q.io/b"])
    #expect(
      try scratch.paths() == [
        Scratch.user + "registries.conf", Scratch.user + "registries.conf.d/10.conf",
        Scratch.admin + "registries.conf.d/90.conf",
      ])
  }

  @Test func `Rootful and rootless drop-ins depend on the user`() throws {
    try scratch.write(Scratch.vendor + "registries.rootful.conf.d/10.conf", search("rootful"))
    try scratch.write(Scratch.vendor + "registries.rootless.conf.d/10.conf", search("rootless"))
    try scratch.write(Scratch.admin + "registries.rootless.conf.d/1500/10.conf", search("personal"))
    #expect(try scratch.load().registries == ["rootful.example"])
    #expect(try scratch.load(uid: 7).registries == ["rootless.example"])
    #expect(try scratch.load(uid: 1500).registries == ["personal.example"])
  }

  @Test func `The environment's file replaces all but the answers, and the override comes last`() throws {
    try scratch.write(Scratch.admin + "registries.conf", search("admin"))
    try scratch.write(Scratch.admin + "registries.conf.d/1.conf", alias("d", "q.io/drop"))
    try scratch.write("var/cache/containers/short-name-aliases.conf", alias("c", "q.io/chosen"))
    let only = try scratch.write("only.conf", search("only")).string
    let over = try scratch.write("over.conf", alias("o", "q.io/over")).string
    let one = try scratch.load(["CONTAINERS_REGISTRIES_CONF": only])
    #expect(one.registries == ["only.example"] && one.targets == ["c": "q.io/chosen"])
    let both = try scratch.load(["CONTAINERS_REGISTRIES_CONF_OVERRIDE": over])
    #expect(both.registries == ["admin.example"])
    #expect(both.targets == ["d": "q.io/drop", "o": "q.io/over", "c": "q.io/chosen"])
    #expect(
      message { () throws(StorageError) in _ = try scratch.load(["CONTAINERS_REGISTRIES_CONF": "/none/x"]) }
        == #"loading registries configuration "/none/x": open /none/x: no such file or directory"#)
  }

  @Test func `Answers that Podman wrote down count more than aliases, for each user his own`() throws {
    try scratch.write(Scratch.admin + "registries.conf", alias("x", "q.io/configured"))
    try scratch.write("var/cache/containers/short-name-aliases.conf", alias("x", "q.io/root"))
    try scratch.write("home/.cache/containers/short-name-aliases.conf", alias("x", "q.io/user"))
    #expect(try scratch.load().targets == ["x": "q.io/root"])
    #expect(try scratch.load(uid: 7).targets == ["x": "q.io/user"])
    #expect(try scratch.load(["XDG_CACHE_HOME": "/nowhere"], uid: 7).targets == ["x": "q.io/configured"])
    #expect(
      try scratch.paths(uid: 7) == [
        Scratch.admin + "registries.conf", "home/.cache/containers/short-name-aliases.conf",
      ])
    // Lookups make no lock file.
    #expect(try scratch.directory.appending("var/cache/containers").names() == ["short-name-aliases.conf"])
  }

  @Test(.tags(.root), .enabled(if: isRoot, "files of others"))
  func `Root does not obey what a user may have written`() throws {
    let main = try scratch.write(Scratch.user + "registries.conf", search("user")).string
    try scratch.write(Scratch.admin + "registries.conf", search("admin"))
    let drop = try scratch.write(Scratch.user + "registries.conf.d/1.conf", alias("x", "q.io/user")).string
    let answers = try scratch.write("var/cache/containers/short-name-aliases.conf", alias("y", "q.io/user")).string
    #expect(try scratch.load().registries == ["user.example"])
    chown(main, 1234, 0)
    #expect(try scratch.load().registries == ["admin.example"])
    chmod(drop, 0o666)
    chmod(answers, 0o666)
    #expect(try scratch.load().targets.isEmpty)
    // Who names a file means it, and in a namespace of his own root is the user.
    #expect(try scratch.load(["CONTAINERS_REGISTRIES_CONF": main]).registries == ["user.example"])
    #expect(try scratch.load(uid: 1234).registries == ["user.example"])
  }

  @Test(.timeLimit(.minutes(1)))
  func `Pipes, loops, huge files and devices are refused without waiting`() throws {
    let file = try scratch.makeParent(of: Scratch.admin + "registries.conf").string
    let prefix = "loading registries configuration \"\(file)\": "
    func complaint() -> String? { message { () throws(StorageError) in _ = try scratch.load() } }
    mkfifo(file, 0o644)
    #expect(complaint() == prefix + "\(file) is a pipe, not a file")
    unlink(file)
    symlink(file, file)
    #expect(complaint() == prefix + "open \(file): too many levels of symbolic links")
    unlink(file)
    // 100 MB, most of it a hole.
    try FilePath(file).write("")
    truncate(file, 100 << 20)
    #expect(complaint() == prefix + "read \(file): file too large")
    unlink(file)
    symlink("/dev/zero", file)
    #expect(complaint() == prefix + "read \(file): file too large")
    unlink(file)
    mkdir(file, 0o755)
    #expect(complaint() == prefix + "read \(file): is a directory")
    rmdir(file)
    symlink("/dev/null", file)
    #expect(try scratch.load().files == [file])
    symlink(".", scratch.path + "/" + Scratch.admin + "registries.conf.d")
    #expect(
      try scratch.load().files == [file, scratch.path + "/" + Scratch.admin + "registries.conf.d/registries.conf"])
  }
}
