// SPDX-License-Identifier: Apache-2.0

import Glibc
import StowageConfig
import StowageModel
import Testing

@Suite("Order of configuration files") struct FileOrderTests {
  private func driver(_ name: String) -> String { "[storage]\ndriver = \"\(name)\"\n" }
  private func pull(_ value: String) -> String { "[storage.options.pull_options]\nk = \"\(value)\"\n" }
  private let vendor = "usr/share/containers/"
  private let admin = "etc/containers/"
  private let user = "home/.config/containers/"

  @Test func `Only the strongest main file is read`() throws {
    let scratch = try Scratch()
    try scratch.write(vendor + "storage.conf", "[storage]\ngraphroot = \"/v\"\n")
    #expect(try scratch.load().graphRoot == "/v")
    try scratch.write(admin + "storage.conf", "")
    #expect(try scratch.load().graphRoot == "/var/lib/containers/storage")
    try scratch.write(user + "storage.conf", driver("vfs"))
    #expect(try scratch.load().driverName == "vfs")
  }

  @Test func `Drop-ins apply in the order of their names, whatever the directory`() throws {
    let scratch = try Scratch()
    try scratch.write(vendor + "storage.conf.d/90-a.conf", pull("vendor"))
    try scratch.write(user + "storage.conf.d/10-b.conf", pull("user"))
    #expect(try scratch.load().pullOptions == ["k": "vendor"])
    try scratch.write(user + "storage.conf.d/90-a.conf", pull("masked"))
    #expect(try scratch.load().pullOptions == ["k": "masked"])
    try scratch.write(user + "storage.conf.d/95-c.txt", pull("ignored"))
    scratch.makeDirectory(user + "storage.conf.d/99-d.conf")
    #expect(try scratch.load().pullOptions == ["k": "masked"])
  }

  @Test func `Rootful and rootless directories depend on the user`() throws {
    let scratch = try Scratch()
    try scratch.write(vendor + "storage.rootful.conf.d/10.conf", driver("rootful"))
    try scratch.write(vendor + "storage.rootless.conf.d/10.conf", driver("rootless"))
    try scratch.write(admin + "storage.rootless.conf.d/1500/10.conf", driver("personal"))
    let variables = ["XDG_RUNTIME_DIR": scratch.path]
    #expect(try scratch.load().driverName == "rootful")
    #expect(try scratch.load(variables, uid: 7, rootless: true).driverName == "rootless")
    #expect(try scratch.load(variables, uid: 1500, rootless: true).driverName == "personal")
  }

  @Test(.enabled(if: geteuid() == 0, "files of others"))
  func `As root of the host, files found by HOME or XDG_CONFIG_HOME count only if they are nobody else's`() throws {
    let scratch = try Scratch()
    try scratch.write(user + "storage.conf", driver("users"))
    try scratch.write(user + "storage.conf.d/1.conf", pull("users"))
    try scratch.write(admin + "storage.conf", driver("admins"))
    let (file, drop) = (scratch.path + "/" + user + "storage.conf", scratch.path + "/" + user + "storage.conf.d/1.conf")
    func loaded(_ variables: [String: String] = [:]) throws -> [String] {
      let options = try scratch.load(variables)
      return [options.driverName, options.pullOptions?["k"] ?? "-"]
    }
    #expect(try loaded() == ["users", "users"])
    chown(file, 1234, 0)
    #expect(try loaded() == ["admins", "users"])
    #expect(try loaded(["XDG_CONFIG_HOME": scratch.path + "/home/.config"]) == ["admins", "users"])
    #expect(try loaded(["CONTAINERS_STORAGE_CONF": file]) == ["users", "-"])
    // In a user namespace root is the user.
    #expect(try scratch.load(["XDG_RUNTIME_DIR": scratch.path], uid: 7, rootless: true).driverName == "users")
    chown(file, 0, 0)
    chmod(drop, 0o666)
    #expect(try loaded() == ["users", "-"])
    chmod(drop, 0o644)
    for (mode, uid) in [(mode_t(0o777), uid_t(0)), (0o755, 1234)] {
      chmod(scratch.path + "/home", mode)
      chown(scratch.path + "/home", uid, 0)
      #expect(try loaded() == ["admins", "-"])
    }
    chown(scratch.path + "/home", 0, 0)
    // A link of root's into a directory of somebody else.
    try scratch.write("elsewhere/storage.conf", driver("linked"))
    chown(scratch.path + "/elsewhere", 1234, 0)
    unlink(file)
    scratch.link(user + "storage.conf", to: scratch.path + "/elsewhere/storage.conf")
    #expect(try loaded() == ["admins", "users"])
  }

  @Test func `Links count, and dangling ones mask`() throws {
    let scratch = try Scratch()
    try scratch.write("elsewhere.conf", driver("linked"))
    try scratch.write(vendor + "storage.conf.d/10.conf", driver("vendor"))
    scratch.link(admin + "storage.conf.d/10.conf", to: scratch.path + "/elsewhere.conf")
    #expect(try scratch.load().driverName == "linked")
    scratch.link(user + "storage.conf.d/10.conf", to: "/dev/null")
    #expect(try scratch.load().driverName == "")

    let other = try Scratch()
    try other.write(vendor + "storage.conf.d/10.conf", driver("vendor"))
    other.link(admin + "storage.conf.d/10.conf", to: "nowhere")
    #expect(try other.load().driverName == "")
    let directory = other.path + "/etc/containers/storage.conf.d/20.conf"
    other.link(admin + "storage.conf.d/20.conf", to: "/")
    let error = #expect(throws: StorageError.self) { try other.load() }
    #expect(error?.message == #"decode configuration "\#(directory)": read \#(directory): is a directory"#)
  }

  @Test func `The environment's file replaces all, and the override comes last`() throws {
    let scratch = try Scratch()
    try scratch.write(admin + "storage.conf", "[storage]\ngraphroot = \"/a\"\ndriver = \"a\"\n")
    try scratch.write(admin + "storage.conf.d/1.conf", pull("x"))
    try scratch.write("over.conf", driver("over"))
    let override = ["CONTAINERS_STORAGE_CONF_OVERRIDE": scratch.path + "/over.conf"]
    let both = try scratch.load(override)
    #expect(both.driverName == "over")
    #expect(both.graphRoot == "/a")
    let only = try scratch.load(file: driver("only"), override)
    #expect(only.driverName == "over")
    #expect(only.graphRoot == "/var/lib/containers/storage")
    #expect(only.pullOptions == nil)
    #expect(try scratch.load(["CONTAINERS_STORAGE_CONF": ""]).driverName == "a")
    for name in ["CONTAINERS_STORAGE_CONF", "CONTAINERS_STORAGE_CONF_OVERRIDE"] {
      let error = #expect(throws: StorageError.self) { try scratch.load([name: "/none/x"]) }
      #expect(error?.message == "open /none/x: no such file or directory")
    }
  }

  @Test func `A file in place of a drop-in directory is fatal`() throws {
    let scratch = try Scratch()
    try scratch.write(admin + "storage.conf.d", "")
    let error = #expect(throws: StorageError.self) { try scratch.load() }
    #expect(error?.message == "open \(scratch.path)/etc/containers/storage.conf.d: not a directory")
  }
}
