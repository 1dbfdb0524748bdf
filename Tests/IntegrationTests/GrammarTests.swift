// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// The grammar of options, their errors and the argument counts (cli 3, 6 and 26.2).
@Suite("Option grammar") struct GrammarTests {
  let store: CommandStore

  init() throws { store = try CommandStore("vfs") }

  private func mainError(_ text: String) throws -> (output: String, error: String) {
    let plain = try store.bare(["-D"])
    return (
      "\(text) while parsing arguments (1)\n" + plain.outputText,
      "\(text)\nSee '\(store.program) containers-storage --help'.\n" + plain.errorText
    )
  }

  @Test(arguments: [
    ("--bogus", "flag provided but not defined: --bogus"),
    ("--bogus=x", "flag provided but not defined: --bogus"),
    ("-jx", "flag provided but not defined: -jx"),
    ("-x", "flag provided but not defined: -x"),
    ("---json", "flag provided but not defined: ---json"),
    ("--graph", "flag needs an argument: --graph"),
    ("-=x", "bad flag syntax: -=x"),
    ("--json=", "invalid boolean value \"\" for  --json: strconv.ParseBool: parsing \"\": invalid syntax"),
    (
      "--json=maybe",
      "invalid boolean value \"maybe\" for  --json: strconv.ParseBool: parsing \"maybe\": invalid syntax"
    ),
  ])
  func `Option errors behind a command are two lines on standard error and status 125`(word: String, text: String)
    throws
  {
    let result = try store("layers", word)
    #expect(result.shows(error: "\(text)\nSee '\(store.program) layers --help'.\n", status: 125), "\(result)")
  }

  @Test(arguments: [
    (["--bogus"], "flag provided but not defined: --bogus"),
    (["-xy"], "flag provided but not defined: -xy"),
    (["-graph", "/x", "layers"], "flag provided but not defined: -graph"),
    (["-g/x", "layers"], "flag provided but not defined: -g/x"),
    (["--help", "--bogus"], "flag provided but not defined: --bogus"),
  ])
  func `Option errors before the command print main help and give status 1`(words: [String], text: String) throws {
    let expected = try mainError(text)
    let result = try store.bare(words)
    #expect(result.shows(expected.output, error: expected.error, status: 1), "\(result)")
  }

  @Test func `A missing value in a group is reported, then the group`() throws {
    let see = "See '\(store.program) layers --help'.\n"
    let result = try store("layers", "-jg")
    #expect(
      result.shows(
        error: "flag needs an argument: -g\n\(see)flag provided but not defined: -jg\n\(see)", status: 125), "\(result)"
    )
  }

  @Test func `Grouped options ignore a value`() throws {
    let result = try store("layers", "-jq=false")
    #expect(result.shows("null\n"), "\(result)")
  }

  @Test func `A letter of a group takes the next word`() throws {
    let result = try store.bare(["layers", "-qg", store.graphRoot, "-R", store.runRoot, "-s", "vfs"])
    #expect(result.shows(), "\(result)")
  }

  @Test func `A lone quote is a value`() throws {
    #expect(try store("create-layer", "--id", "q", "--name=\"").shows("q\n\t\"\n"))
    #expect(try store("create-layer", "--id", "r", "--name='a\"'").shows("r\n\ta\"\n"))
    #expect(try store("create-layer", "--id", "s", "--name", "'a'").shows("s\n\t'a'\n"))
  }

  @Test func `The first word that is no option ends the options`() throws {
    #expect(try store("exists", "--", "-j").shows("-j: false\n", status: 1))
    #expect(try store("exists", "--", "a", "-j", "--").shows("a: false\n-j: false\n--: false\n", status: 1))
    #expect(try store("exists", "a", "--", "-j", "--").shows("a: false\n-j: false\n--: false\n", status: 1))
    #expect(try store("exists", "a", "-").shows("a: false\n-: false\n", status: 1))
    #expect(try store("exists", "-").shows("-: false\n", status: 1))
    #expect(try store("exists", "").shows(": false\n", status: 1))
    #expect(try store("exists", "-j-", "-q", "a").shows("{\"a\":false}\n", status: 1))
  }

  @Test(arguments: ["stowage", "containers-storage"])
  func `A word behind an argument that looks like an option is refused before anything is done`(name: String) throws {
    #expect(try store("create-layer", "-i", "base").isSuccess)
    #expect(try store("create-image", "-i", "i", "-n", "web", "base").isSuccess)
    let program = store.directory.appending(name)
    if !program.exists { try Syscall.symlink(target: store.program, at: program) }
    for (command, late) in [
      (["delete-image", "web", "-t"], "-t"), (["delete-image", "web", "--test"], "--test"),
      (["delete", "base", "--bogus=x", "i"], "--bogus=x"), (["layer", "base", "-j"], "-j"),
    ] {
      let result = try store.runOther([program.string] + store.words(command).dropFirst())
      let text = "flag provided behind an argument: \(late) (options come first; behind \"--\" it is no option)\n"
      #expect(
        result.shows(error: "\(text)See '\(program) \(command[0]) --help'.\n", status: 125), "\(command): \(result)")
    }
    #expect(try store("exists", "web", "base").isSuccess)
    #expect(try store("unshare", "echo", "-n", "--", "-x").outputText == "-- -x")
    #expect(try store("delete-image", "-t", "web").shows(error: "web: base\n"))
  }

  @Test func `Argument counts are checked before the store is opened`() throws {
    let few = try store("layer")
    #expect(
      few.outputText.hasPrefix("layer: more arguments required.\nUsage: containers-storage layer [options [...]] "))
    #expect(few.errorText.hasPrefix("\n  --debug, -D"))
    #expect(few.status == .exited(1))
    let many = try store("layers", "a", "b")
    #expect(many.outputText.hasPrefix("layers: too many arguments ([a b]).\nUsage: containers-storage layers [options"))
    #expect(many.status == .exited(1))
    #expect(try store.bare(["--", "layers", "extra"]).status == .exited(1))
    #expect(!store.directory.appending("g").exists)
  }

  @Test func `An unknown command is one line on standard output`() throws {
    #expect(try store("bogus").shows("bogus: unrecognized command.\n", status: 1))
    #expect(try store("Layers").shows("Layers: unrecognized command.\n", status: 1))
    #expect(try store("").shows(": unrecognized command.\n", status: 1))
  }

  @Test func `Errors of opening the store go to standard output`() throws {
    let result = try store.bare(["-s", "vfs", "layers"])
    #expect(
      result.shows(
        "error initializing: no storage runroot or graphroot specified: missing necessary StoreOptions\n", status: 1),
      "\(result)")
    let missing = try store.run(["layers"], adding: ["CONTAINERS_STORAGE_CONF": "/nonexistent"])
    #expect(
      missing.shows("error initializing: open /nonexistent: no such file or directory\n", status: 1), "\(missing)")
  }

  @Test(.tags(.interop), .enabled(if: commandExists("containers-storage")))
  func `Errors and help equal those of Debian's program`() throws {
    let debian = try CommandStore("vfs", program: "/usr/bin/containers-storage")
    for line in [
      "layers -jh -x", "exists", "changes a b c", "diff --gzip=1x a", "layers -=x", "layers --=x", "layer -j",
    ] {
      let words = line.split(separator: " ").map(String.init)
      let ours = try store.run(words)
      let theirs = try debian.run(words)
      #expect(ours.status == theirs.status, "\(line)")
      #expect(firstLine(ours.outputText) == firstLine(theirs.outputText), "\(line)")
    }
  }

  private func firstLine(_ text: String) -> Substring { text.prefix { $0 != "\n" } }
}
