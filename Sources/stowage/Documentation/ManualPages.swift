// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel

/// The manual: a page for the program, one for each command, and short ones that send aliases to their command.
enum ManualPages {
  /// - Returns: file names (`stowage-load.1`) with the pages' text.
  static func all() -> [(file: String, text: String)] {
    let commands = CommandTable.commands(of: .stowage)
    var pages = [(file: "stowage.1", text: mainPage())]
    pages.append(("containers-storage.1", ".so man1/stowage.1\n"))
    for command in commands {
      pages.append((fileName(command.names[0]), page(for: command)))
      for alias in command.names.dropFirst() {
        pages.append((fileName(alias), ".so man1/\(fileName(command.names[0]))\n"))
      }
    }
    return pages
  }

  private static func fileName(_ command: String) -> String { "stowage-\(command).1" }

  private static func mainPage() -> String {
    var page = Roff(title: "stowage", section: 1, source: "Stowage \(stowageVersion)")
    page.section("Name")
    page.paragraphs("stowage, containers-storage - inspect and change stores of layers, images and containers")
    page.section("Synopsis")
    page.line(bold: "stowage", "[options] command [options] [arguments]")
    page.section("Description")
    page.paragraphs(
      """
      Works on the stores that Podman, Buildah, Skopeo and CRI-O keep their layers, images and containers in: in the same
      format, with the same locks, also while those programs use them. Under the name containers-storage it takes the
      place of the program of that name.

      Options of the store stand before the command or behind it; behind it, options may stand anywhere up to a word of two
      dashes. Under the name containers-storage they always stand before the arguments, and commands that only stowage has are
      unknown. Long options begin with two dashes, short ones with one; a value is attached to a long option by an equals sign,
      or is the next word.
      """)
    page.section("Options")
    for option in (GlobalOptions.all + [GlobalOptions.help]).sorted(by: { $0.plainName < $1.plainName }) {
      add(option, to: &page)
    }
    page.section("Commands")
    for command in CommandTable.commands(of: .stowage) {
      page.entry([command.names[0]], command.usage + ": see stowage-\(command.names[0])(1).")
    }
    addOutcomes(of: nil, to: &page)
    page.section("Environment")
    page.entry(["STORAGE_DRIVER"], "The driver, like --storage-driver.")
    page.entry(["STORAGE_OPTS"], "Driver options, separated by commas; --storage-opt replaces them.")
    page.entry(["CONTAINERS_STORAGE_CONF"], "The configuration file to read in place of storage.conf.")
    page.section("Files")
    page.entry(["/etc/containers/storage.conf", "/usr/share/containers/storage.conf"], "Configuration of the store.")
    page.entry(["$XDG_CONFIG_HOME/containers/storage.conf"], "Configuration of a user's own store.")
    page.entry(["/var/lib/containers/storage"], "The graph root of root.")
    page.entry(["/run/containers/storage"], "The run root of root.")
    page.section("See also")
    page.references(["podman", "buildah", "skopeo", "containers-storage.conf(5)"])
    return page.text
  }

  private static func page(for command: CommandDefinition) -> String {
    let name = command.names[0]
    var page = Roff(title: "stowage-\(name)", section: 1, source: "Stowage \(stowageVersion)")
    page.section("Name")
    page.paragraphs("stowage-\(name) - \(command.usage.prefix(1).lowercased())\(command.usage.dropFirst())")
    page.section("Synopsis")
    for name in command.names { page.line(bold: "stowage \(name)", command.synopsis) }
    page.section("Description")
    page.paragraphs(command.details.isEmpty ? command.usage + "." : command.details)
    if !command.options.isEmpty {
      page.section("Options")
      for option in command.options.sorted(by: { $0.plainName < $1.plainName }) { add(option, to: &page) }
      page.paragraphs("The options of stowage(1) are accepted, too.")
    }
    addOutcomes(of: command, to: &page)
    page.section("See also")
    page.references(["stowage"])
    return page.text
  }

  private static func add(_ option: OptionDefinition, to page: inout Roff) {
    var description = option.usage + "."
    if option.isAdditional { description += " Not in other programs named containers-storage." }
    page.entry(option.names, value: option.takesValue ? "value" : nil, description)
  }
}
