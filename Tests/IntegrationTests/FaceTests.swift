// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@testable import stowage_cli

/// What the program does under its own name and not under the reference's: help, complaints, options anywhere.
@Suite("The program under its own name") struct FaceTests {
  let store: CommandStore

  init() throws { store = try CommandStore("vfs", program: stowageItself().string) }

  /// - Returns: whether there is anything of a store.
  private var isStoreMade: Bool { store.directory.appending("g").exists || store.directory.appending("r").exists }

  @Test func `The front page names every command once`() {
    let named = FrontPage.groups.flatMap(\.commands)
    #expect(named.sorted() == CommandTable.commands(of: .stowage).map { $0.names[0] }.sorted())
    for line in FrontPage.text().split(separator: "\n") { #expect(line.count <= 110, "\(line)") }
  }

  @Test(arguments: ["--help", "-h", "help"])
  func `Help that was asked for is on standard output and opens no store`(word: String) throws {
    let page = try store(word)
    #expect(page.outputText == FrontPage.text())
    #expect(page.isSuccess && page.errorText.isEmpty)
    let command = word == "help" ? ["help", "diff"] : ["diff", "x", word]
    let usage = "Usage: stowage diff [OPTIONS] layerNameOrID [referenceLayerNameOrID]\n"
    #expect(try store.run(command).outputText.hasPrefix(usage))
    #expect(!isStoreMade)
  }

  @Test(arguments: [["--version"], ["version"], ["version", "--json"], ["completion", "bash"]])
  func `What needs no store makes none`(words: [String]) throws {
    let result = try store.run(words)
    #expect(result.isSuccess && !result.outputText.isEmpty && result.errorText.isEmpty)
    #expect(!isStoreMade)
  }

  @Test func `The version is ours, and that of the stores`() throws {
    #expect(try store("version").shows("stowage 0.1.0-dev, stores of containers/storage 1.64.0-dev\n"))
    #expect(
      try store("version", "-j").shows("{\"format\":\"1.64.0-dev\",\"version\":\"0.1.0-dev\"}\n"))
  }

  @Test(arguments: [
    ([], "", "no command is given"),
    (["imags"], "", "unknown command \"imags\"; did you mean \"image\" or \"images\"?"),
    (["delte-layer", "x"], "", "unknown command \"delte-layer\"; did you mean \"delete-layer\"?"),
    (["nothing-like-it"], "", "unknown command \"nothing-like-it\""),
    (["run", "web"], "", "\"run\" is not here: running containers is for Podman, from the same store: podman run"),
    (["--grahp", "/x", "layers"], "", "unknown option \"--grahp\"; did you mean \"--graph\"?"),
    (["layers", "--jsn"], "layers", "unknown option \"--jsn\"; did you mean \"--json\"?"),
    (["layers", "-jx"], "layers", "unknown option \"-jx\""),
    (["layers", "-jg"], "layers", "option -g needs a value"),
    (["layers", "--json=perhaps"], "layers", "option --json is true or false, not \"perhaps\""),
    (["layers", "a"], "layers", "takes no arguments, but there is \"a\""),
    (["layer"], "layer", "an argument is missing"),
    (["delete-image", "web", "--tset"], "delete-image", "unknown option \"--tset\"; did you mean \"--test\"?"),
    (["help", "layrs"], "", "unknown command \"layrs\"; did you mean \"layers\"?"),
    (["layers\u{1B}[2J"], "", "unknown command \"layers\\x1b[2J\""),
  ])
  func `A mistake is two lines on standard error, and nothing is done`(
    words: [String], command: String, text: String
  ) throws {
    let result = try store.bare(words)
    let name = command.isEmpty ? "stowage" : "stowage \(command)"
    let help = command.isEmpty ? "stowage --help" : "stowage help \(command)"
    #expect(result.shows(error: "\(name): \(text)\nSee \"\(help)\".\n", status: 125), "\(result)")
    #expect(!isStoreMade)
  }

  @Test func `Options stand anywhere, up to two dashes`() throws {
    #expect(try store("create-layer", "-i", "base").isSuccess)
    #expect(try store("create-image", "base", "-i", "i", "--name", "web").isSuccess)
    #expect(try store("layer", "base", "-j").outputText.hasPrefix("[{\"id\":\"base\""))
    #expect(try store("delete-image", "web", "-t").shows(error: "web: base\n"))
    #expect(try store("exists", "web", "-q", "base").shows())
    #expect(try store("exists", "--", "web", "-q").shows("web: true\n-q: false\n", status: 1))
    #expect(try store("unshare", "echo", "-n", "--", "-x").outputText == "-- -x")
  }

  @Test func `A store that cannot be opened is told on standard error`() throws {
    let result = try store.bare(["-s", "vfs", "layers"])
    #expect(result.outputText.isEmpty && result.status == .exited(1))
    #expect(result.errorText.hasPrefix("cannot open the store: no storage runroot or graphroot specified"), "\(result)")
  }

  @Test(arguments: [
    (["ls", "--sort", "nope"], "--sort \"nope\": must be one of name, created, id, size, own"),
    (["ls", "--filter", "nope"], "--filter \"nope\": must be NAME=VALUE with one of the names "),
    (["ps", "--filter", "name=("], "--filter name=\"(\": no regular expression: "),
    (["ls", "--color", "nope"], "--color \"nope\": must be auto, always or never"),
    (["inspect", "--type", "nope", "x"], "--type \"nope\": must be all, container, image or layer"),
    (["ls", "--format", "{{nope .}}"], "--format: character 3: "),
    (["ls", "--lock-timeout", "nope"], "--lock-timeout takes a number of seconds, not \"nope\""),
    (["check", "--max", "nope"], "--max \"nope\": must be a span such as 24h or 90m"),
    (["dedup", "--hash-method", "nope"], "--hash-method: must be crc, size or sha256"),
    (["copy", "--chown", "x", "a", "b:/"], "--chown: \"x\" is no number, and no UID"),
    (["create-layer", "--uidmap", "x"], "--uidmap \"x\": must be CONTAINER:HOST:SIZE, maybe several joined by colons"),
    (["relocate", "--to", "nope", "x"], "\"nope\" is no place: --to image-store or --to graph-root"),
  ])
  func `A wrong value that a command finds ends as one that the parser finds`(words: [String], text: String) throws {
    let result = try store.run(words)
    #expect(result.outputText.isEmpty && result.status == .exited(125), "\(result)")
    #expect(result.errorText.hasPrefix(text) && result.errorText.split(separator: "\n").count == 1, "\(result)")
  }

  @Test func `Failures are told in plain words, and under the reference's name in its own`() throws {
    let reference = try CommandStore("vfs")
    let junk = try store.file("junk", String(repeating: "x", count: 700))
    let (plain, other) = (try store("import-layer", "-f", junk), try reference("import-layer", "-f", junk))
    #expect(plain.status == .exited(1) && plain.errorText.hasPrefix("unpacking the layer: "), "\(plain)")
    #expect(plain.errorText.split(separator: "\n").count == 1 && !plain.errorText.contains("exit status"), "\(plain)")
    #expect(other.errorText.contains("ApplyLayer stdout:  stderr: ") && other.errorText.contains("exit status 1"))
    let words = ["--storage-opt", "vfs.ignore_chown_errors=x", "layers"]
    #expect(
      try store.run(words).errorText.hasPrefix("cannot open the store: \"x\" is neither true nor false\n"))
    #expect(try reference.run(words).outputText.hasPrefix("error initializing: strconv.ParseBool: parsing \"x\""))
  }

  @Test func `Words that are far from everything suggest nothing`() {
    let names = CommandTable.commands(of: .stowage).flatMap(\.names)
    for word in ["", "x", "zzzzzz", String(repeating: "a", count: 100_000)] {
      #expect(Suggestion.candidates(near: word, among: names).isEmpty)
    }
    #expect(Suggestion.candidates(near: "moutn", among: names) == ["mount"])
    #expect(Suggestion.candidates(near: "reloc", among: names) == ["relocate", "relocate-root"])
  }
}
