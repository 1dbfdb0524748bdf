// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel

/// What `stowage --help` shows: every command in its group, those of every day first.
enum FrontPage {
  /// The groups with the names of their commands. A test sees to it that no command is missing, and none named twice.
  static let groups: [(title: String, commands: [String])] = [
    (
      "Images",
      [
        "ls", "load", "save", "import", "inspect", "history", "tree", "tag", "untag", "rm", "relocate", "images",
        "image",
        "images-by-digest", "create-image", "delete-image", "list-image-data", "get-image-data", "get-image-data-size",
        "get-image-data-digest", "set-image-data", "get-image-dir",
        "get-image-run-dir",
      ]
    ),
    (
      "Containers",
      [
        "ps", "create", "commit", "export", "mount", "unmount", "mounted", "copy", "containers", "container",
        "create-container",
        "delete-container", "container-parent-owners", "list-container-data", "get-container-data",
        "get-container-data-size",
        "get-container-data-digest", "set-container-data", "get-container-dir", "get-container-run-dir",
      ]
    ),
    (
      "Layers",
      [
        "layers", "layer", "changes", "diff", "diffsize", "applydiff", "applydiff-using-staging-dir", "create-layer",
        "import-layer", "delete-layer", "layer-parent-owners", "list-layer-data", "get-layer-data", "set-layer-data",
        "storage-layers", "create-storage-layer",
      ]
    ),
    ("Space", ["df", "prune", "gc", "dedup"]),
    ("Stores", ["info", "check", "stores", "relocate-root", "status", "config", "unshare", "shutdown", "wipe"]),
    (
      "Names and records",
      [
        "exists", "get-names", "add-names", "remove-names", "set-names", "metadata", "set-metadata", "delete",
      ]
    ),
    ("Help", ["help", "version", "completion", "manual"]),
  ]

  /// Pairs that may be mixed up.
  static let distinctions: [(words: String, difference: String)] = [
    (
      "rm, delete", "rm removes images and containers that nobody needs; delete whatever has that name, without looking"
    ),
    (
      "save, export",
      "save writes images with their layers, for load; export all files of one container or image, for import"
    ),
    ("diff, changes", "diff writes a layer's archive; changes lists what is different"),
    ("prune, gc, wipe", "prune deletes unused images, gc what killed programs left, wipe everything"),
    ("check, dedup", "check finds damage, dedup lets equal files share blocks"),
    ("relocate, relocate-root", "one moves images between the places of a store, the other the store itself"),
  ]

  /// The whole page.
  static func text() -> String {
    var text = """
      Stowage \(stowageVersion): images, containers and their layers on disk, in the stores of Podman, Buildah, Skopeo and
      CRI-O. It does not run containers: Podman does, from the same store.

      Usage: stowage COMMAND [OPTIONS] [ARGUMENTS]

      """
    let commands = CommandTable.commands(of: .stowage)
    for group in groups {
      let rows = group.commands.compactMap { name in
        commands.first { $0.names[0] == name }.map { (cell: name, usage: $0.usage) }
      }
      text += "\n\(group.title):\n" + HelpPage.list(rows, width: 28)
    }
    text += "\nEasily mixed up:\n" + HelpPage.list(distinctions.map { ($0.words, $0.difference) }, width: 28)
    let options = GlobalOptions.all + [GlobalOptions.stowageHelp, GlobalOptions.version]
    return text + "\nOptions of all commands:\n" + HelpPage.list(options.map(HelpPage.row), width: 28)
      + "\n\"stowage help COMMAND\" tells more of each.\n"
  }
}
