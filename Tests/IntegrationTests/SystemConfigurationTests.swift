// SPDX-License-Identifier: Apache-2.0
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// The real places of configuration files, in a mount namespace of their own so that the machine's stay as they are
/// (configuration-and-idmaps 1 and 22, changes-1.64 13.1).
@Suite("System configuration files", .tags(.root), .enabled(if: isRoot, "mounts over /etc/containers"))
struct SystemConfigurationTests {
  private let store: CommandStore
  private let vendor: FilePath
  private let admin: FilePath
  private let user: FilePath

  init() throws {
    store = try CommandStore("vfs")
    vendor = store.directory.appending("vendor")
    admin = store.directory.appending("admin")
    user = store.directory.appending("config/containers")
    for directory in [vendor, admin, user] {
      _ = try run("mkdir", "-p", directory.appending("storage.conf.d").string)
    }
  }

  /// What `config` prints with our directories in place of the system's, the two roots given by flags.
  private func config(_ words: [String] = ["config"], adding variables: [String: String] = [:]) throws -> ProcessResult
  {
    let script = """
      for place in /etc/containers:\(admin) /usr/share/containers:\(vendor); do
        mount --bind "${place#*:}" "${place%%:*}"
      done
      exec "$@"
      """
    _ = try run("mkdir", "-p", "/etc/containers", "/usr/share/containers")
    return try run(
      ["unshare", "-m", "--propagation", "private", "sh", "-ec", script, "sh"] + store.words(words),
      adding: variables.merging([
        "CONTAINERS_STORAGE_CONF": "", "XDG_CONFIG_HOME": store.directory.appending("config").string,
      ]) { given, _ in given }, directory: store.directory.path)
  }

  private func pulled() throws -> String? {
    let result = try config()
    try #require(result.isSuccess, "\(result)")
    return try JSONValue(parsing: result.output)["PullOptions"]?["k"]?.string
  }

  private func pull(_ value: String) -> String { "[storage.options.pull_options]\nk = \"\(value)\"\n" }

  @Test func `Drop-ins apply in the order of their names, and the strongest directory masks`() throws {
    try vendor.appending("storage.conf.d/90-a.conf").write(pull("vendor"))
    try user.appending("storage.conf.d/10-b.conf").write(pull("user"))
    #expect(try pulled() == "vendor")
    try user.appending("storage.conf.d/90-a.conf").write(pull("masked"))
    #expect(try pulled() == "masked")
    _ = try run("ln", "-sf", "/dev/null", user.appending("storage.conf.d/90-a.conf").string)
    #expect(try pulled() == "user")
    _ = try run("mkdir", vendor.appending("storage.rootful.conf.d").string)
    _ = try run("mkdir", vendor.appending("storage.rootless.conf.d").string)
    try vendor.appending("storage.rootful.conf.d/91.conf").write(pull("rootful"))
    try vendor.appending("storage.rootless.conf.d/92.conf").write(pull("rootless"))
    #expect(try pulled() == "rootful")
  }

  @Test func `An empty administrator's file hides the vendor's`() throws {
    try vendor.appending("storage.conf").write("[storage]\ngraphroot = \"/vendor\"\n" + pull("vendor"))
    #expect(try pulled() == "vendor")
    try admin.appending("storage.conf").write("")
    let result = try config()
    #expect(
      result.shows(
        "{\"runroot\":\"/run/containers/storage\",\"root\":\"/var/lib/containers/storage\",\"PullOptions\":null}\n"),
      "\(result)")
  }

  @Test func `Lists append over three drop-ins, and the reason is told`() throws {
    func priority() throws -> [String]? {
      try JSONValue(parsing: try config().output)["driver-priority"]?.array?.compactMap(\.string)
    }
    let directory = admin.appending("storage.conf.d")
    try directory.appending("1.conf").write("[storage]\ndriver_priority = [\"a\", {append = true}]\n")
    try directory.appending("2.conf").write("[storage]\ndriver_priority = [\"b\"]\n")
    try directory.appending("3.conf").write("[storage]\ndriver_priority = [\"d\"]\n")
    #expect(try priority() == ["a", "b", "d"])
    let notes = try config(["config", "--explain"]).outputText.split(separator: "\n").filter { $0.hasPrefix("note") }
    let path = "/etc/containers/storage.conf.d"
    #expect(
      notes
        == [2, 3].map {
          "note: \(path)/\($0).conf:2:19: the list \"storage.driver_priority\" extends the earlier one, because of "
            + "\"append = true\" at \(path)/1.conf:2:25"
        })
    try directory.appending("2.conf").write("[storage]\ndriver_priority = [\"c\", {append = false}]\n")
    #expect(try priority() == ["d"])
  }

  @Test func `An empty XDG_CONFIG_HOME does not make files of the working directory configuration`()
    throws
  {
    // The working directory of the commands is the parent of these.
    _ = try run("mkdir", store.directory.appending("containers").string)
    try store.directory.appending("containers/storage.conf").write(pull("here"))
    let result = try config(adding: ["XDG_CONFIG_HOME": "", "HOME": store.directory.appending("nobody").string])
    #expect(
      result.shows(
        "{\"runroot\":\"/run/containers/storage\",\"root\":\"/var/lib/containers/storage\",\"PullOptions\":null}\n"),
      "\(result)")
  }

  @Test func `A configuration file that may not be read stops an ordinary user's command`() throws {
    try admin.appending("storage.conf").write("")
    _ = try run("chmod", "600", admin.appending("storage.conf").string)
    _ = try run("chmod", "711", store.directory.path.string)
    // The user may not reach the place of the build.
    let words = store.words(["layers"])
    let program = store.directory.appending("containers-storage").string
    _ = try run("cp", words[0], program)
    let user = "/usr/bin/setpriv --reuid 65534 --regid 65534 --clear-groups"
    let script = "mount --bind \(admin) /etc/containers && exec \(user) env HOME=/nonexistent \"$@\""
    let result = try run(
      ["unshare", "-m", "--propagation", "private", "sh", "-ec", script, "sh", program] + words.dropFirst(),
      adding: ["CONTAINERS_STORAGE_CONF": ""])
    #expect(
      result.outputText == "error initializing: open /etc/containers/storage.conf: permission denied\n", "\(result)")
    #expect(result.status == .exited(1))
  }
}
