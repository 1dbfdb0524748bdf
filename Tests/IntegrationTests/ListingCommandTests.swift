// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@testable import stowage_cli

/// `ls`, `ps`, `inspect`, `history` and `tree` from the outside, on a store loaded from an archive.
@Suite("Listing commands", .tags(.root), .enabled(if: isRoot, "the sample image has owners")) struct ListingCommandTests
{
  private let image = "0152994d106007618f94d78592973b093ec664c76b1078925da99ac5508053f5"

  private func loaded() throws -> CommandStore {
    let store = try CommandStore("vfs", program: stowageItself().string)
    _ = try store("load", "-q", fixture("samples/sample-docker-archive.tar").string)
    return store
  }

  private func json(_ result: ProcessResult) throws -> JSONValue {
    #expect(result.status == .exited(0) && result.errorText.isEmpty, "\(result)")
    return try result.output.withUnsafeBufferPointer { buffer in
      var reader = JSONReader(buffer)
      return try reader.readValue()
    }
  }

  @Test(arguments: [["ls"], ["ps"], ["tree"]]) func `A store without anything has headings, or an empty list`(
    command: [String]
  ) throws {
    let store = try CommandStore("vfs", program: stowageItself().string)
    let table = try store.run(command)
    #expect(table.status == .exited(0) && table.outputText.split(separator: "\n").count <= 1, "\(table)")
    #expect(try store.run(command + ["--json"]).shows("[]\n"))
    #expect(try store.run(command + ["-q"]).shows())
  }

  /// The sizes are those of Podman 4.3.1 for the same archive.
  @Test func `An image is listed, inspected and told the history of`() throws {
    let store = try loaded()
    let rows = try store("ls").outputText.split(separator: "\n")
    #expect(rows.count == 2 && rows[0].hasPrefix("NAME                  ID            CREATED"), "\(rows)")
    #expect(rows[1].hasPrefix("localhost/sample:two  0152994d1060  ") && rows[1].contains("  9.87 kB  9.87 kB  -"))
    #expect(try store("ls", "-q").shows("0152994d1060\n"))
    #expect(try store("ls", "-q", "--no-trunc").shows(image + "\n"))
    #expect(
      try store("ls", "--format", "{{.Repository}} {{.Tag}} {{.VirtualSize}}").shows("localhost/sample two 9867\n"))
    #expect(try store("ls", "-n", "--format", "table {{.ID}} {{.Size}}").shows("0152994d1060  9.87 kB\n"))
    #expect(try store("ls", "--format", "table") == store("ls"))
    let list = try json(try store("ls", "--json")).array ?? []
    #expect(list.first?["id"] == .string(image) && list.first?["size"]?.integer == 9867)
    #expect(list.first?["created"] == .string("2020-09-13T12:26:41Z"))
    #expect(try store("history", "-q", "sample:two").outputText.split(separator: "\n").count == 2)
    let steps = try json(try store("history", "--json", "sample:two")).array ?? []
    #expect(steps.map { $0["size"]?.integer } == [3072, 5120])
    #expect(steps.first?["comment"] == .string("FROM localhost/sample:base"))
    let all = try json(try store("inspect", "--json", "0152994")).array ?? []
    #expect(all.first?["labels"]?["k"] == .string("v") && all.first?["layers"]?.array?.count == 2)
    #expect(
      try store("inspect", "--format", "{{.Config.Cmd}} {{json .Labels.k}}", "sample:two").shows("[/bin/true] \"v\"\n"))
    #expect(try store("tree").outputText.contains("  3.07 kB  <- localhost/sample:two\n"))
  }

  @Test func `A layer is inspected with the root that has it`() throws {
    let store = try CommandStore("vfs", program: stowageItself().string)
    let archive = fixture("samples/sample-docker-archive.tar").string
    _ = try store("load", "-q", "--image-store", store.imageStore, archive)
    func roots(_ options: String...) throws -> [JSONValue?] {
      let image = try json(try store.run(["inspect", "--json"] + options + ["sample:two"])).array?.first
      return (image?["layers"]?.array ?? []).map { $0["root"] }
    }
    let root = JSONValue.string(store.imageStore)
    #expect(try roots("--image-store", store.imageStore) == [root, root])
    let text = try store("inspect", "--image-store", store.imageStore, "sample:two").outputText
    #expect(text.contains("  5.12 kB  in \(store.imageStore)\n"), "\(text)")
  }

  @Test func `A container is listed with image and state, and measured on demand`() throws {
    let store = try loaded()
    let id = try store("create-container", "-n", "web", "localhost/sample:two").outputText.prefix(64)
    let before = try store("ps").outputText.split(separator: "\n").last ?? ""
    #expect(before.hasPrefix("\(id.prefix(12))  web   localhost/sample:two  -      "), "\(before)")
    #expect(before.hasSuffix("unmounted"))
    _ = try store("mount", "web")
    let after = try json(try store("ps", "--json", "--size", "-a")).array?.first
    #expect(after?["state"] == .string("mounted") && after?["size"]?.integer == 0, "\(String(describing: after))")
    #expect(after?["mount-point"]?.string?.hasPrefix(store.graphRoot) == true)
    #expect(try store("ls", "--filter", "containers=true", "-q").shows("0152994d1060\n"))
    #expect(
      try store("inspect", "--format", "{{.State.Status}} {{.ImageName}}", "web").shows(
        "mounted localhost/sample:two\n"))
    #expect(try store("tree").outputText.contains("└─ container web\n"))
  }

  @Test func `What is not there is one line on standard error, and status 1`() throws {
    let store = try loaded()
    for command in [["history"], ["inspect"], ["inspect", "--json"], ["tree"]] {
      let result = try store.run(command + ["nope"])
      #expect(result.status == .exited(1) && result.outputText.isEmpty, "\(result)")
      #expect(result.errorText.hasPrefix("no ") && result.errorText.split(separator: "\n").count == 1, "\(result)")
    }
    let mixed = try store("inspect", "--format", "{{.Id}}", "nope", "sample:two")
    #expect(mixed.shows(image + "\n", error: "no container or image or layer has the name or ID \"nope\"\n", status: 1))
    #expect(try store("ls", "nope").shows(error: "no image fits \"nope\"\n", status: 1))
    for command in [
      ["ls", "--sort", "x"], ["ls", "-f", "x=y"], ["ps", "--color", "x"], ["inspect", "-t", "x", "y"],
    ] {
      let result = try store.run(command)
      #expect(result.status == .exited(125) && result.outputText.isEmpty && !result.errorText.isEmpty, "\(result)")
    }
    let format = try store("ls", "--format", "{{range .}}")
    #expect(format.errorText.hasPrefix("--format: character 3: \"range\" is not supported"), "\(format)")
  }

  @Test func `Names, labels and configurations that are hostile are shown escaped`() throws {
    let store = try loaded()
    try store.editRecords(of: "images") {
      $0.replacing("localhost/sample:two", with: #"evil\u001b]0;x\u0007/日本:\u202e1"#)
    }
    for command in [["ls"], ["tree"], ["inspect", "0152"], ["history", "0152"]] {
      let result = try store.run(command)
      #expect(result.status == .exited(0), "\(result)")
      #expect(result.outputText.unicodeScalars.allSatisfy { $0 == "\n" || ($0.value >= 0x20 && $0.value != 0x202E) })
    }
    #expect(try store("ls").outputText.contains(#"evil\x1b]0;x\a/日本:\u202e1"#))
    let list = try json(try store("ls", "--json")).array ?? []
    #expect(list.first?["names"]?.array?.first == .string("evil\u{1B}]0;x\u{7}/日本:\u{202E}1"))
    for text in [
      #"[]"#, #"{"history":{},"config":{"Env":3,"Labels":["a"]}}"#, "junk", #"{"history":[1,{"created_by":{}}]}"#,
    ] {
      let path = store.graphRoot + "/vfs-images/" + image
      let names = try FilePath(path).names().filter { $0.hasPrefix("=") }
      #expect(!names.isEmpty)
      for name in names { try FilePath(path + "/" + name).write(text) }
      for command in [["ls", "--json"], ["inspect", "0152"]] {
        let result = try store.run(command)
        #expect(result.status == .exited(0), "\(text): \(result)")
      }
    }
  }

  @Test func `Under the reference's name the words are unknown`() throws {
    let store = try CommandStore("vfs")
    let theirs = Set(CommandTable.commands(of: .reference).flatMap(\.names))
    for command in CommandTable.everyday.flatMap(\.names) where !theirs.contains(command) {
      let result = try store.bare([command, "x"])
      #expect(result.shows("\(command): unrecognized command.\n", status: 1), "\(result)")
    }
  }

  @Test func `No option of the everyday commands hides another one`() {
    for command in CommandTable.everyday {
      let names = (command.options + GlobalOptions.all).flatMap(\.names)
      #expect(Set(names).count == names.count, "\(command.names[0]): \(names.sorted())")
    }
  }

  @Test(.enabled(if: commandExists("script"))) func `On a terminal tables fit, and headings are bold unless refused`()
    throws
  {
    let store = try loaded()
    let words = store.words(["ls"]).joined(separator: " ")
    func shown(_ command: String) throws -> String {
      let output = try run(
        ["script", "-qec", "stty cols 40; \(command)", "/dev/null"],
        adding: store.environment.merging(["TERM": "xterm", "NO_COLOR": ""]) { $1 }
      ).output
      // A terminal gets \r\n.
      return String(decoding: output.filter { $0 != 0x0D }, as: UTF8.self)
    }
    let coloured = try shown(words)
    #expect(coloured.hasPrefix("\u{1B}[1mNAME"), "\(coloured)")
    let plain = try shown("NO_COLOR=1 " + words)
    #expect(plain.split(separator: "\n").allSatisfy { $0.count <= 40 } && !plain.contains("\u{1B}"), "\(plain)")
    #expect(try shown("TERM=dumb " + words) == plain && shown(words + " --color=never") == plain)
  }
}
