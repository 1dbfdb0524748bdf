// SPDX-License-Identifier: Apache-2.0
import StowageTestSupport
import SystemPackage
import Testing

@testable import stowage_cli

/// Completion scripts, asked by the shells themselves, and manual pages, judged by mandoc.
@Suite("Completion and manual") struct CompletionTests {
  let store: CommandStore

  init() throws { store = try CommandStore("vfs", program: try stowageItself().string) }

  /// The completions that a shell offers for a line with the cursor at its end.
  private func completions(of line: String, in shell: String) throws -> [String] {
    let script = try store.file("completion.\(shell)", store.bare(["completion", shell]).outputText)
    let link = store.directory.appending("stowage").string
    try #require(try run(["ln", "-sfn", store.program, link]).isSuccess)
    let ask =
      switch shell {
      case "bash":
        """
        source \(script)
        read -ra COMP_WORDS <<< "$LINE"
        [[ $LINE != *' ' ]] || COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _stowage
        printf '%s\\n' "${COMPREPLY[@]}"
        """
      default: "source \(script); complete -C \"$LINE\" | string replace -r '\\t.*' ''; true"
      }
    let found = try run(
      [shell, "-c", ask],
      adding: store.environment.merging([
        "LINE": line, "PATH": store.directory.path.string + ":/usr/bin:/bin", "HOME": store.directory.path.string,
      ]) { $1 }, directory: store.directory.path)
    #expect(found.isSuccess && found.errorText.isEmpty, "\(found)")
    return found.outputText.split(separator: "\n").map(String.init).sorted()
  }

  @Test(arguments: ["bash", "fish"])
  func `Commands, options and their values are completed`(_ shell: String) throws {
    #expect(
      try completions(of: "stowage list-", in: shell) == ["list-container-data", "list-image-data", "list-layer-data"])
    #expect(try completions(of: "stowage layers --t", in: shell) == ["--transient-store", "--tree"])
    #expect(try completions(of: "stowage --graph x layers --tr", in: shell) == ["--transient-store", "--tree"])
    #expect(try completions(of: "stowage import-layer --file completion.", in: shell) == ["completion.\(shell)"])
  }

  @Test(arguments: ["bash", "fish"])
  func `Layers, images and containers are completed where they are meant`(_ shell: String) throws {
    try #require(try store("create-layer", "-i", "aaaa", "-n", "base").isSuccess)
    try #require(try store("create-image", "-i", "abbb", "-n", "app", "aaaa").isSuccess)
    try #require(try store("create-container", "-i", "accc", "-n", "admin", "app").isSuccess)
    #expect(try completions(of: "stowage delete-image a", in: shell) == ["abbb", "app"])
    #expect(try completions(of: "stowage exists ac", in: shell) == ["accc"])
    #expect(try completions(of: "stowage create-layer bas", in: shell) == ["base"])
    #expect(try completions(of: "stowage images a", in: shell) == [])
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
