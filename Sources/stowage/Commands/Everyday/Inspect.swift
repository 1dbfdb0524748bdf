// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `inspect`: everything about images, containers and layers.
enum InspectCommand {
  private static let type = OptionDefinition(
    "--type", "-t", kind: .text(default: "all"), usage: "What NAME is: all, container, image or layer",
    values: ["all", "container", "image", "layer"])

  static let definition = CommandDefinition(
    "inspect", arguments: .oneOrMore, synopsis: "[options [...]] NAME [...]",
    usage: "Show all about images, containers and layers",
    details: """
      A NAME is looked for among containers, images and layers, in this order: as a whole name or ID, as a short name of an
      image, as the beginning of an ID. What may be several objects is refused, with their names.

      Without options the text is for people. Programs use --json, which always prints a list, or --format with Podman's names
      of fields, for instance {{.Config.Env}} or {{json .Labels}}.
      """, completes: [.containers, .shortImages, .layers],
    options: [
      Listing.json, Listing.format, Listing.quiet, ListContainersCommand.size, type, Terminal.option,
    ], run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    let options = context.options
    let terminal = try Terminal(color: options[text: Terminal.option])
    let kinds = try kinds(options[text: type])
    let view = try StoreView(context.store)
    var rows: [Listing.Row] = []
    var problems: [String] = []
    for name in context.arguments {
      do throws(StorageError) {
        let object = try view.snapshot.object(named: name, among: kinds, searched: configuredNames)
        var size: Int64?
        if case .container(let container) = object, options[flag: ListContainersCommand.size] {
          size = try ListContainersCommand.measured(container, context.store)
        }
        rows.append(try row(object, view, size: size))
      } catch {
        problems.append(error.plainMessage)
      }
    }
    // Nothing found is nothing to print: a list without elements would be an answer.
    if !rows.isEmpty { try Listing(columns: [], rows: rows).printTexts(context, terminal) }
    for problem in problems { context.console.printError(problem) }
    return problems.isEmpty ? .success : .failure
  }

  private static func kinds(_ word: String) throws(StorageError) -> [StoredObject.Kind] {
    if word == "all" { return [.container, .image, .layer] }
    if let kind = StoredObject.Kind(rawValue: word) { return [kind] }
    throw StorageError(.usage, "--type \(goQuoted(word)): must be all, container, image or layer")
  }

  /// - Returns: a row with a cell of text.
  static func row(
    _ object: StoredObject, _ view: StoreView, size: Int64? = nil
  ) throws(StorageError) -> Listing.Row {
    switch object {
    case .image(let image):
      let description = ImageDescription(image, view, configuration: try view.configuration(of: image.record))
      return Listing.Row(
        cells: [InspectText.image(description, view).text], fields: description.fields,
        document: description.document, identifier: object.id)
    case .container(let container):
      let image = view.images.first { $0.id == container.image }
      var configuration = ImageConfiguration.empty
      if let image { configuration = try view.configuration(of: image.record) }
      let description = ContainerDescription(container, view, size: size)
      return Listing.Row(
        cells: [InspectText.container(description, view).text], fields: description.fields(configuration),
        document: description.document(configuration), identifier: object.id)
    case .layer(let layer):
      let description = LayerDescription(layer, view)
      return Listing.Row(
        cells: [InspectText.layer(description, view).text], fields: description.fields,
        document: description.document, identifier: object.id)
    }
  }
}
