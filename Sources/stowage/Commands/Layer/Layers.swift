// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `layers`: all layers, with what uses them (cli 13.1).
enum LayersCommand {
  private static let quick = OptionDefinition("--quick", "-q", usage: "Just the IDs")
  private static let tree = OptionDefinition("--tree", "-t", usage: "Use a tree")

  static let definition = CommandDefinition(
    "layers", arguments: .none, synopsis: "[options [...]]", usage: "List layers", options: [.json, quick, tree],
    run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    let layers = try context.store.layers.list()
    if context.wantsJSON {
      context.console.printJSON(records: layers.map(\.record), whenEmpty: .null)
      return .success
    }
    if context.options[flag: quick], !context.options[flag: tree] {
      for layer in layers { context.console.print(layer.id.rawValue) }
      return .success
    }
    let users = LayerUsers(context.store)
    if context.options[flag: tree] {
      for line in LayerTree(layers.map { node(for: $0, users) }).drawn() { context.console.print(line) }
    } else {
      for layer in layers { printList(layer, users, context.console) }
    }
    return .success
  }

  private static func printList(_ layer: LayerInfo, _ users: LayerUsers, _ console: Console) {
    console.print(layer.id.rawValue)
    for name in layer.record.names { console.print("\tname: " + name) }
    for image in users.images(of: layer.id) {
      console.print("\timage: " + image.id.rawValue)
      for name in image.names { console.print("\t\tname: " + name) }
    }
    if let container = users.container(of: layer.id) {
      console.print("\tcontainer: " + container.id.rawValue)
      for name in container.names { console.print("\t\tname: " + name) }
    }
  }

  private static func node(for layer: LayerInfo, _ users: LayerUsers) -> LayerTree.Node {
    var notes = layer.record.names.map { "name: " + $0 }
    if let mountPoint = layer.mountPoint { notes.append("mount: " + mountPoint) }
    for image in users.images(of: layer.id) {
      notes.append("image: " + image.id.rawValue)
      notes += image.names.map { "image name: " + $0 }
    }
    if let container = users.container(of: layer.id) {
      notes.append("container: " + container.id.rawValue)
      notes += container.names.map { "container name: " + $0 }
    }
    return LayerTree.Node(id: layer.id.rawValue, parent: layer.record.parent?.rawValue ?? LayerTree.base, notes: notes)
  }
}

/// Which images and containers use which layer. What cannot be read is left out.
private struct LayerUsers {
  private var images: [LayerID: [ImageRecord]] = [:]
  private var containers: [LayerID: ContainerRecord] = [:]

  init(_ store: Store) {
    // Without them the tree lacks labels, no layers.
    for image in (try? store.images.list()) ?? [] {
      var layers = image.record.mappedLayers
      if let top = image.record.layer { layers.insert(top, at: 0) }
      var counted: Set<LayerID> = []
      for layer in layers where counted.insert(layer).inserted { images[layer, default: []].append(image.record) }
    }
    // Where records contradict each other the last container counts, as in a map filled in order.
    for container in (try? store.containers.list()) ?? [] { containers[container.layer] = container }
  }

  func images(of layer: LayerID) -> [ImageRecord] { images[layer] ?? [] }
  func container(of layer: LayerID) -> ContainerRecord? { containers[layer] }
}
