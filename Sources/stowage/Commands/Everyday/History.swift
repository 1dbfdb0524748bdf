// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `history`: how an image was made, newest step first.
enum HistoryCommand {
  static let definition = CommandDefinition(
    "history", arguments: .one, synopsis: "[options [...]] IMAGE", usage: "Show the steps that made an image",
    details: """
      The newest step comes first. LAYER is the layer that a step made, SIZE its size, both - for a step without one. Layers
      that no step tells of have an empty STEP. With --quiet the layers are printed.
      """, completes: [.shortImages],
    options: Listing.options
  ) { (context: CommandContext) throws(StorageError) in
    let view = try StoreView(context.store)
    let image = try view.snapshot.image(named: context.arguments[0], searched: configuredNames)
    let configuration = try view.configuration(of: image.record)
    try listing(image.record, configuration, view, isWhole: context.options[flag: Listing.noTruncation]).print(context)
    return .success
  }

  /// The steps, newest first.
  static func steps(
    of image: ImageRecord, _ configuration: ImageConfiguration, _ view: StoreView
  ) -> [(step: ImageConfiguration.Step, layer: LayerID?)] {
    configuration.history(of: view.sizes.chain(of: image)).reversed()
  }

  static func listing(
    _ image: ImageRecord, _ configuration: ImageConfiguration, _ view: StoreView, isWhole: Bool = false
  ) -> Listing {
    let rows = steps(of: image, configuration, view).map { step, layer in
      let id = layer.map { isWhole ? $0.rawValue : shortID($0.rawValue) }
      let age = step.created.map { ageText(of: $0, at: view.now) } ?? "-"
      let size = layer.flatMap { view.sizes.size(of: $0) }
      return Listing.Row(
        cells: [id ?? "-", age, sizeText(size), words(of: step)],
        fields: .object([
          .init("ID", .string(id ?? "<missing>")), .init("Created", .string(age)), .init("CreatedSince", .string(age)),
          .init("CreatedAt", .time(step.created)), .init("CreatedBy", .string(step.createdBy)),
          .init("Size", .string(bytesText(size ?? 0))), .init("Comment", .string(step.comment)),
        ]),
        document: document(step, layer, view), identifier: id)
    }
    return Listing(
      columns: [.init("LAYER"), .init("CREATED", rank: 1), .init("SIZE", .right), .init("STEP", cut: .end)], rows: rows,
      headings: ["CreatedBy": "CREATED BY", "CreatedAt": "CREATED AT", "CreatedSince": "CREATED"])
  }

  /// The objects of the JSON form.
  static func documents(of image: ImageRecord, _ configuration: ImageConfiguration, _ view: StoreView) -> [JSONValue] {
    steps(of: image, configuration, view).map { document($0.step, $0.layer, view) }
  }

  private static func document(_ step: ImageConfiguration.Step, _ layer: LayerID?, _ view: StoreView) -> JSONValue {
    .object([
      .init("layer", .optional(layer?.rawValue)), .init("created", .time(step.created)),
      .init("created-by", .string(step.createdBy)), .init("comment", .string(step.comment)),
      .init("size", .optional(layer.flatMap { view.sizes.size(of: $0) })), .init("empty-layer", .bool(step.hasNoLayer)),
    ])
  }

  /// The command without the words that builders put around it, and the remark.
  static func words(of step: ImageConfiguration.Step) -> String {
    let (shell, mark) = ("/bin/sh -c ", "#(nop) ")
    var text = step.createdBy
    if text.hasPrefix(shell + mark) {
      text = String(text.dropFirst((shell + mark).count).drop { $0 == " " })
    } else if text.hasPrefix(shell) {
      text = "RUN " + text.dropFirst(shell.count)
    }
    if step.comment.isEmpty { return text }
    return text.isEmpty ? "(\(step.comment))" : "\(text)  (\(step.comment))"
  }
}
