// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `tree`: the layers by parent, and what stands on them.
enum TreeCommand {
  static let definition = CommandDefinition(
    "tree", arguments: .any, synopsis: "[options [...]] [NAME [...]]",
    usage: "Show layers by parent, with sizes and what stands on them",
    details: """
      Each layer has its size, the images that end with it behind an arrow, and how many images share it if more than one does.
      Below it is what stands on it: a line without a branch is built on the line above. Containers stand on the layer that they
      were made from; their own layers are not shown. Sizes are those that the store has recorded.

      NAME, an image, a container or a layer, selects its layers and all that stands on its last one. With --quiet the layers'
      IDs are printed.
      """, completes: [.containers, .shortImages, .layers],
    options: [Listing.quiet, Listing.json, Listing.noTruncation, Terminal.option]
  ) { (context: CommandContext) throws(StorageError) in
    let options = context.options
    let terminal = try Terminal(color: options[text: Terminal.option])
    let view = try StoreView(context.store)
    var forest = LayerForest(view)
    var tops: [LayerID] = []
    for name in context.arguments { tops.append(try view.snapshot.layer(named: name, searched: configuredNames)) }
    if !tops.isEmpty { forest.keep(tops) }
    let lines = forest.lines()
    if options[flag: Listing.json] {
      context.console.print(JSONValue.array(lines.compactMap { forest.document($0) }).compactText)
    } else if options[flag: Listing.quiet] {
      for case .layer(let id) in lines.map(\.item) { context.console.print(shown(id, options)) }
    } else {
      let isWhole = options[flag: Listing.noTruncation]
      context.console.write(forest.text(lines, for: isWhole ? terminal.unlimited : terminal, isWhole: isWhole))
    }
    return .success
  }

  private static func shown(_ id: LayerID, _ options: OptionValues) -> String {
    options[flag: Listing.noTruncation] ? id.rawValue : shortID(id.rawValue)
  }
}
