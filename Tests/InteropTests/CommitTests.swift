// SPDX-License-Identifier: Apache-2.0

import StowageTestSupport
import SystemPackage
import Testing

/// Images of containers and of archives beside those that Podman makes, and in its hands.
@Suite(
  "Committed by Stowage", .tags(.root, .interop, .slow),
  .enabled(if: isRoot && commandExists("podman") && commandExists("runc"), "Podman makes containers"))
struct CommitTests {
  /// A store with a container of Podman's in which files were made, changed and deleted.
  private func store(_ driver: String) throws -> SharedStore {
    let store = try SharedStore(driver: driver, program: stowageItself())
    try store.stowage("load", "-q", try DemoImage.dockerArchive())
    try store.podman("create", "--name", "web", "stowage-demo", "/bin/sh")
    let root = try store.mountPoint(store.stowage("mount", "web"))
    try store.command([
      "sh", "-ec",
      """
      cd '\(root)'; echo new >srv/new; ln srv/new srv/second; mkdir -p a/b; chown 5:6 a/b; chmod 1777 a/b; rm etc/motd
      truncate -s 3M hole; echo end >>hole; ln -s new srv/link; mkfifo pipe; mknod null c 1 3
      touch -d @1 a/b; setfattr -n user.key -v value srv/new || true
      """,
    ])
    try store.stowage("unmount", "web")
    return store
  }

  /// The configuration, the layers of an image and what is in the last of them, without what differs from one commit to the next:
  /// times, the identifier of the container, the variables that Podman sets in a container that it runs, and two fields of
  /// headers that Debian's version writes otherwise (archive-and-diff 3.3).
  private func content(_ store: SharedStore, _ image: String) throws -> [String] {
    let id = try store.command(store.podmanWords(["image", "inspect", "--format", "{{.Id}}", image])).line
    let manifest = try store.stowage("get-image-data", id, "manifest").output
    try store.write("manifest", manifest)
    let config = try store.stowage("get-image-data", id, "sha256:" + id).output
    try store.write("config", config)
    return [
      try store.command([
        "jq", "-cS", "[.mediaType, .config.mediaType, (.layers[-1].digest = 0 | .layers)]",
        store.directory + "/manifest",
      ]).line,
      try store.command([
        "jq", "-cS",
        """
        del(.created, .container, .container_config, .parent, .history[-1].created, .history[-1].created_by, .history[-1].comment,
          .rootfs.diff_ids[-1])
        | .config |= with_entries(select(.value != null and .value != "" and .value != false and .value != []))
        | .config |= del(.Image) | .config.Env -= ["TERM=xterm", "container=podman"]
        """, store.directory + "/config",
      ]).line,
      try store.command([
        "sh", "-ec",
        "\(store.stowageWords("diff", ["-u", image]).joined(separator: " ")) | tar --numeric-owner --full-time -tvf - "
          // A tree does not know when something was deleted.
          + "| awk '/\\.wh\\./ { $4 = $5 = \"\" } { print }'",
      ]).output,
    ]
  }

  @Test(.tags(.driver), arguments: ["overlay", "vfs"])
  func `The image has the layers and the configuration that Podman's has`(driver: String) throws {
    let store = try store(driver)
    let changes = [
      "ENV=A=1", #"CMD ["/bin/x"]"#, "LABEL a=b", "EXPOSE 80/tcp", "USER 5", "WORKDIR /w", "VOLUME /data",
      "STOPSIGNAL 9",
      "ENTRYPOINT /e x",
    ].flatMap { ["-c", $0] }
    for words in [["-a", "Me <me@x>"] + changes, ["-f", "docker", "-m", "a message", "-c", "ONBUILD RUN true"], []] {
      try store.command(store.podmanWords(["commit", "-q"] + words + ["web", "localhost/theirs:1"]))
      let made = try store.command(store.stowageWords("commit", words + ["web", "ours:1"]))
      #expect(made.lines.count == 1 && made.line.count == 64)
      let (ours, theirs) = (try content(store, "localhost/ours:1"), try content(store, "localhost/theirs:1"))
      #expect(ours == theirs, "\(words)")
    }
    let listed = try store.podman("images", "--format", "{{.Repository}}:{{.Tag}}").lines
    #expect(listed.contains("localhost/ours:1") && listed.contains("localhost/theirs:1"), "\(listed)")
    // Once more the same layer: it is there already, and shared.
    #expect(try store.stowage("check").output.hasPrefix("no damage found"))
    let seen = try store.command(
      store.podmanWords(["run", "--rm", "--ipc", "none", "--network", "none", "ours:1", "cat", "/srv/second"]))
    #expect(seen.output == "new\n")
  }

  @Test func `A squashed image, an export and an import all have the container's files`() throws {
    let store = try store("overlay")
    let root = try store.mountPoint(store.stowage("mount", "web"))
    try FilePath(root + "/bin/.wh.x").write("x")
    try store.stowage("unmount", "web")
    try store.stowage("commit", "-q", "--squash", "web", "flat:1")
    try store.stowage("export", "-o", store.directory + "/e.tar", "web")
    try store.podman("export", "-o", store.directory + "/p.tar", "web")
    try store.stowage("import", "-q", "-c", "CMD cat /srv/new", store.directory + "/e.tar", "imported:1")
    func listing(_ archive: String) throws -> [String] {
      try store.command([
        "sh", "-ec",
        "mkdir \(archive).d; tar --xattrs --xattrs-include='*' -C \(archive).d -xpf \(archive); cd \(archive).d; "
          + "find . -printf '%P %y %m %U:%G %s %l %n\\n' | grep -v ' d ' | sort; find . -type d -printf '%P %m %U:%G\\n' | sort; "
          + "getfattr -Rd -m user . 2>/dev/null; sha256sum srv/new hole bin/busybox",
      ]).lines
    }
    let ours = try listing(store.directory + "/e.tar")
    #expect(ours == (try listing(store.directory + "/p.tar")))
    // Holes are kept: the archive is smaller than the file.
    #expect(try FilePath(store.directory + "/e.tar").readBytes().count < 3_000_000)
    #expect(try store.command(["sh", "-c", "du -k \(store.directory)/e.tar.d/hole"]).line.hasPrefix("4\t"))
    for image in ["flat:1", "imported:1"] {
      try store.command([
        "sh", "-ec", "\(store.stowageWords("export", [image]).joined(separator: " ")) >\(store.directory)/\(image).tar",
      ])
      // No layer can have a file of such a name.
      #expect(try listing("\(store.directory)/\(image).tar") == ours.filter { !$0.hasPrefix("bin/.wh.x") }, "\(image)")
    }
    let run = store.podmanWords(["run", "--rm", "--ipc", "none", "--network", "none"])
    #expect(try store.command(run + ["imported:1"]).output == "new\n")
    #expect(try store.command(run + ["flat:1", "cat", "/srv/new"]).output == "new\n")
    // bsdtar reads the sparse file, too.
    #expect(try store.command(["sh", "-c", "bsdtar -xOf \(store.directory)/e.tar hole | tail -c 4"]).output == "end\n")
  }

  @Test func `What a mapped container has made has the container's owners in image and archive`() throws {
    let store = try SharedStore(program: stowageItself())
    try store.stowage("load", "-q", try DemoImage.dockerArchive())
    let run = store.podmanWords([
      "run", "--name", "c", "--ipc", "none", "--network", "none", "--uidmap", "0:100000:65536", "--gidmap",
      "0:200000:65536", "stowage-demo", "/bin/sh", "-c", "echo new >/srv/new; chown 7:8 /srv/new",
    ])
    try store.command(run)
    try store.stowage("commit", "-q", "c", "mapped:1")
    for name in ["c", "mapped:1"] {
      let listed = try store.command([
        "sh", "-ec",
        "\(store.stowageWords("export", [name]).joined(separator: " ")) | tar --numeric-owner -tvf - srv bin/busybox",
      ]).lines
      #expect(listed.contains { $0.contains(" 7/8 ") && $0.hasSuffix(" srv/new") }, "\(name): \(listed)")
      #expect(listed.contains { $0.contains(" 0/0 ") && $0.hasSuffix(" bin/busybox") }, "\(name): \(listed)")
    }
    try store.podman("rm", "c")
  }
}
