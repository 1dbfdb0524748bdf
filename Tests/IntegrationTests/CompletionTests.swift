// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@testable import stowage_cli

/// Completion scripts, asked by the shells themselves, and manual pages, judged by mandoc.
@Suite("Completion and manual") struct CompletionTests {
  let store: CommandStore

  init() throws { store = try CommandStore("vfs", program: try stowageItself().string) }

  /// The completions that a shell offers for each of some lines with the cursor at its end.
  private func completions(of lines: [String], in shell: String) throws -> [[String]] {
    let script = try store.file("completion.\(shell)", store.bare(["completion", shell]).outputText)
    for name in ["stowage", "containers-storage"] {
      try #require(try run(["ln", "-sfn", store.program, store.directory.appending(name).string]).isSuccess)
    }
    let ask =
      switch shell {
      case "bash":
        // The shell breaks words at colons and equals signs, and replaces what stands behind the last of them.
        """
        source \(script)
        for COMP_LINE; do
          COMP_POINT=${#COMP_LINE}
          read -ra COMP_WORDS < <(sed 's/[:=]/ & /g' <<< "$COMP_LINE")
          [[ $COMP_LINE != *[[:space:]:=] ]] || COMP_WORDS+=("")
          COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
          _stowage
          last=${COMP_LINE##* }
          for word in "${COMPREPLY[@]}"; do printf '%s\\n' "${last%"${last##*[:=]}"}$word"; done
          echo .
        done
        """
      default:
        """
        source \(script)
        for line in $argv; complete -C "$line" | string replace -r '\\t.*' ''; echo .; end
        """
      }
    let found = try run(
      [shell, "-c", ask] + (shell == "bash" ? [shell] : []) + lines,
      adding: store.environment.merging([
        "PATH": store.directory.path.string + ":/usr/bin:/bin", "HOME": store.directory.path.string,
      ]) { $1 }, directory: store.directory.path)
    #expect(found.isSuccess && found.errorText.isEmpty, "\(found)")
    let words = found.outputText.split(separator: "\n").map(String.init)
    return words.split(separator: ".", omittingEmptySubsequences: false).dropLast().map { $0.sorted() }
  }

  /// Checks what is offered for lines.
  private func check(_ expected: [(line: String, words: [String])], in shell: String) throws {
    let found = try completions(of: expected.map(\.line), in: shell)
    try #require(found.count == expected.count)
    for (expected, words) in zip(expected, found) { #expect(words == expected.words, "\(expected.line)") }
  }

  @Test(arguments: ["bash", "fish"])
  func `Commands, options and their values are completed`(_ shell: String) throws {
    try check(
      [
        ("stowage list-", ["list-container-data", "list-image-data", "list-layer-data"]),
        ("stowage layers --t", ["--transient-store", "--tree"]),
        ("stowage --graph x layers --tr", ["--transient-store", "--tree"]),
        ("stowage import-layer --file completion.", ["completion.\(shell)"]),
        ("stowage ls --sort ", ["created", "id", "name", "own", "size"]),
        ("stowage ls --sort=na", ["--sort=name"]),
        ("stowage ps --filter s", ["since=", "status="]),
        ("stowage ls --color a", ["always", "auto"]),
        ("stowage inspect nothing --type i", ["image"]),
        ("stowage -s o", ["overlay"]),
        ("stowage dedup --hash-method s", ["sha256", "size"]),
        ("stowage relocate --to i", ["image-store"]),
        ("stowage prune --filter l", ["label!=", "label="]),
        ("stowage help prun", ["prune"]),
        ("stowage completion z", ["zsh"]),
        ("stowage unmount --a", ["--all"]),
      ], in: shell)
  }

  @Test(arguments: ["bash", "fish"])
  func `Under the reference's name only its own verbs and options are offered`(_ shell: String) throws {
    let lines = ["stowage pru", "containers-storage pru", "stowage cre", "containers-storage cre"]
    let found = try completions(of: lines, in: shell)
    #expect(found.map { $0.contains("prune") || $0.contains("create") } == [true, false, true, false], "\(found)")
    try check(
      [
        ("containers-storage reloc", ["relocate", "relocate-root"]), ("containers-storage unmount --a", []),
        ("containers-storage unmount --fo", ["--force"]),
      ], in: shell)
  }

  @Test(arguments: ["bash", "fish"])
  func `Layers, images and containers are completed where they are meant`(_ shell: String) throws {
    try #require(try store("create-layer", "-i", "aaaa", "-n", "base").isSuccess)
    try #require(try store("create-image", "-i", "abbb", "-n", "app", "aaaa").isSuccess)
    try #require(try store("create-image", "-i", "big", "-n", "docker.io/library/big:1", "aaaa").isSuccess)
    try #require(try store("create-container", "-i", "accc", "-n", "admin", "app").isSuccess)
    try check(
      [
        ("stowage delete-image a", ["abbb", "app"]),
        ("stowage exists accc", ["accc"]),
        ("stowage create-layer bas", ["base"]),
        ("stowage images a", []),
        ("stowage rm ", ["admin", "app", "docker.io/library/big:1"]),
        ("stowage rm bi", ["big"]),
        ("stowage inspect bi", ["big", "big:1"]),
        ("stowage inspect docker.io/library/big:", ["docker.io/library/big:1"]),
        ("stowage create --json d", ["docker.io/library/big:1"]),
        ("stowage history adm", []),
        ("stowage tree adm", ["admin"]),
        ("stowage changes adm", ["admin"]),
        ("containers-storage changes adm", []),
        ("containers-storage changes bas", ["base"]),
        ("stowage unmount --force adm", ["admin"]),
        ("stowage tag big", ["big", "big:1"]),
        ("stowage ps ", []),
      ], in: shell)
  }

  @Test(arguments: ["bash", "fish"])
  func `The store that the line chooses is looked at, and nothing is opened or made`(_ shell: String) throws {
    let other = store.directory.appending("o")
    let words = ["-g", other.string, "-R", other.appending("run").string, "-s", "vfs"]
    try #require(try store.bare(words + ["create-layer", "-i", "elsewhere"]).isSuccess)
    try #require(try store("create-layer", "-i", "here").isSuccess)
    // The shells would expand or run what names have, if they got it.
    try #require(
      try store.bare(words + ["create-layer", "-i", "zzz", "-n", "e$(touch made)", "-n", "e;touch made"]).isSuccess)
    let before = try run(["find", store.graphRoot, other.string, "-printf", "%p %T@ %C@\\n"]).outputText
    let place = other.string
    let choices = [
      "-g \(place)", "--graph=\(place)", "-g '\(place)' -s vfs", "-g ~/o", "--storage-driver vfs --graph \(place)",
    ]
    try check(
      choices.map { (line: "stowage \($0) layer e", words: ["elsewhere"]) } + [
        ("stowage layer -g \(place) else", ["elsewhere"]),
        ("containers-storage -g \(place) layer else", ["elsewhere"]),
        ("stowage -s overlay layer he", []), ("stowage layer he", ["here"]),
        ("stowage -g \(place)/none -R \(place)/none layer he", []),
      ], in: shell)
    #expect(try run(["find", store.graphRoot, place, "-printf", "%p %T@ %C@\\n"]).outputText == before)
    #expect(!store.directory.appending("made").exists && !other.appending("none").exists)
  }

  @Test func `What completion asks for is silent about whatever is wrong, and no command of the lists`() throws {
    let names = ["complete-names", "--", "", "layers", "images", "short-images", "containers", "nonsense"]
    #expect(try store.run(names).shows())
    #expect(!FilePath(store.graphRoot).exists)
    #expect(
      try store.bare(names, adding: ["CONTAINERS_STORAGE_CONF": "/nonexistent", "XDG_RUNTIME_DIR": ""]).shows())
    #expect(try store.bare(["complete-names"]).shows())
    #expect(try store.bare(["help"]).outputText.contains("complete-names") == false)
    try #require(try store("create-layer", "-i", "here").isSuccess)
    try store.editRecords(of: "layers") { String($0.dropLast(3)) }
    #expect(try store("complete-names", "--", "h", "layers").status == .exited(0))
  }

  @Test func `The shell zsh takes the script, and offers what was typed in part`() throws {
    let script = try store.file("_stowage", store.bare(["completion", "zsh"]).outputText)
    #expect(try run(["zsh", "-n", script]).isSuccess)
    let ask = """
      zmodload zsh/zpty
      zpty shell zsh -f -i
      zpty -w shell "PS1= fpath=(\(store.directory.path) \\$fpath); autoload -U compinit; compinit -u -D; print re''ady"
      zpty -r shell line '*ready*'
      zpty -w -n shell $'stowage relocate --dr\\t'
      zpty -r shell line '*--dry-run*'
      print -r -- $line
      """
    let found = try run(["timeout", "30", "zsh", "-f", "-c", ask])
    #expect(found.isSuccess && found.outputText.contains("--dry-run"), "\(found)")
  }

  @Test func `The shell zsh offers values, and objects of the store that the line chooses`() throws {
    let other = store.directory.appending("o").string
    try #require(
      try store.bare(["-g", other, "-R", other + "/r", "-s", "vfs", "create-layer", "-n", "elsewhere:1"]).isSuccess)
    _ = try store.file("_stowage", store.bare(["completion", "zsh"]).outputText)
    for name in ["stowage", "containers-storage"] {
      try #require(try run(["ln", "-sfn", store.program, store.directory.appending(name).string]).isSuccess)
    }
    let start = """
      zpty -w shell "PS1= fpath=(\(store.directory.path) \\$fpath) path=(\(store.directory.path) \\$path)"
      zpty -w shell "autoload -U compinit; compinit -u -D; print re''ady"
      """
    for (line, answer) in [
      ("stowage -g ~/o layer elsew", "elsewhere"), ("stowage ls --sort cre", "created"),
      ("stowage ps --filter stat", "status="), ("stowage help prun", "prune"),
      ("containers-storage unmount --fo", "--force"),
    ] {
      let found = try typed(line, into: "zsh -f -i", start, awaiting: answer)
      #expect(found.isSuccess && found.outputText.contains(answer), "\(line): \(found)")
    }
  }

  @Test func `Names with colons are completed in the shell bash itself`() throws {
    try #require(try store("create-image", "-n", "docker.io/library/big:1").isSuccess)
    let script = try store.file("completion.bash", store.bare(["completion", "bash"]).outputText)
    try #require(try run(["ln", "-sfn", store.program, store.directory.appending("stowage").string]).isSuccess)
    let start = #"zpty -w shell "PS1= PATH=\#(store.directory.path):\$PATH; source \#(script); echo re''ady""#
    for line in ["stowage inspect docker.io/lib", "stowage inspect docker.io/library/big:"] {
      // The whole line is shown behind "echo", put in front of it.
      let whole = "stowage inspect docker.io/library/big:1"
      let found = try typed(line, into: "bash --norc -i", start, awaiting: whole, then: #"\x01echo \n"#)
      #expect(found.isSuccess && found.outputText.contains(whole), "\(line): \(found)")
    }
  }

  /// What a terminal shows when a line, the tabulator and what is to follow are typed into a shell.
  private func typed(
    _ line: String, into shell: String, _ start: String, awaiting answer: String, then end: String = ""
  ) throws -> ProcessResult {
    let ask = """
      zmodload zsh/zpty
      zpty shell \(shell)
      \(start)
      zpty -r shell line '*ready*'
      zpty -w -n shell $'\(line)\\t\(end)'
      zpty -r shell line '*\(answer)*'
      print -r -- $line
      """
    return try run(
      ["timeout", "10", "zsh", "-f", "-c", ask],
      adding: store.environment.merging(["HOME": store.directory.path.string]) { $1 })
  }

  @Test func `An unknown shell is refused`() throws {
    #expect(
      try store.bare(["completion", "ksh"]).shows(
        error: "\"ksh\" is no shell that completions are made for: bash, zsh, fish\n", status: 125))
  }

  @Test func `There is a flawless manual page for every name of every command`() throws {
    let directory = store.directory.appending("man1")
    try #require(try run(["mkdir", directory.string]).isSuccess)
    #expect(try store.bare(["manual", directory.string]).shows())
    let names = CommandTable.commands(of: .stowage).map { $0.names[0] }
    #expect(names.count >= 75)
    for name in names {
      let page = directory.appending("stowage-\(name).1").string
      let judged = try run(["mandoc", "-T", "lint", "-W", "warning", page])
      let complaints = judged.outputText.split(separator: "\n").filter { !$0.contains("missing date") }
      #expect(complaints.isEmpty)
      let shown = try run(["mandoc", "-T", "html", page]).outputText
      #expect(shown.contains("SYNOPSIS"))
    }
    #expect(
      try run(["cat", directory.appending("stowage-umount.1").string]).outputText == ".so man1/stowage-unmount.1\n")
    #expect(
      try store.bare(["manual", "/nonexistent"]).shows(
        error: "open /nonexistent/stowage.1: no such file or directory\n", status: 1))
  }
}
