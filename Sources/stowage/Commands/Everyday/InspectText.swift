// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// What `inspect` says of one object to people: a line for each thing, its name first.
struct InspectText {
  private var lines: [(title: String, text: String)] = []

  private mutating func add(_ title: String, _ text: String?) {
    if let text, !text.isEmpty { lines.append((title, text)) }
  }

  /// Several lines, of which the first has the title.
  private mutating func add(_ title: String, _ texts: [String]) {
    for (place, text) in texts.enumerated() { lines.append((place == 0 ? title : "", text)) }
  }

  private mutating func add(_ title: String, _ created: Timestamp, _ view: StoreView) {
    if created.seconds == Timestamp.unset.seconds { return }
    // The second is enough for people.
    let text = "\(Timestamp(seconds: created.seconds))".replacing("T", with: " ").replacing("Z", with: " UTC")
    add(title, "\(text) (\(ageText(of: created, at: view.now)))")
  }

  /// The lines. They are not cut: who inspects wants to read and copy the whole.
  var text: String {
    let width = lines.reduce(0) { max($0, $1.title.utf8.count) } + 2
    return lines.reduce(into: "") { $0 += padded($1.title, to: width) + printable($1.text) + "\n" }
  }

  static func image(_ description: ImageDescription, _ view: StoreView) -> InspectText {
    let (image, configuration) = (description.image.record, description.configuration)
    var text = InspectText()
    text.add("image", image.id.rawValue)
    text.add("names", image.names)
    text.add("digest", (image.digest ?? description.image.digests.first)?.description)
    text.add("created", image.created, view)
    let system = [configuration.os, configuration.architecture].filter { !$0.isEmpty }.joined(separator: "/")
    let manifest =
      configuration.manifestType.contains(".oci.")
      ? "OCI manifest"
      : configuration.manifestType.contains(".docker.") ? "Docker manifest" : ""
    text.add("system", [system, manifest].filter { !$0.isEmpty }.joined(separator: ", "))
    text.add("author", configuration.author)
    let layers = view.sizes.chain(of: image)
    let own = view.sizes.ownSize(of: image).map { ", \(bytesText($0)) of its own" } ?? ""
    let count = layers.count == 1 ? "1 layer" : "\(layers.count) layers"
    text.add("size", "\(sizeText(view.sizes.size(of: image))) in \(count)\(own)")
    text.add(configuration)
    text.add(
      "layers",
      layers.map { id in
        let others = view.sizes.images(with: id).count - 1
        let shared = others < 1 ? "" : "  shared with \(others) \(others == 1 ? "image" : "images")"
        return "\(shortID(id.rawValue))  \(sizeText(view.sizes.size(of: id)))\(shared)"
          + (view.otherRoot(of: id).map { "  in \($0)" } ?? "")
      })
    text.add(
      "used by",
      view.sizes.containers(of: image.id).map { container in
        "container \(name(of: container))" + (view.owner(of: container).map { " (\($0.rawValue))" } ?? "")
      })
    if description.image.isReadOnly { text.add("place", "an additional store, read only") }
    return text
  }

  /// How containers of an image are run.
  private mutating func add(_ configuration: ImageConfiguration) {
    let settings = configuration.settings
    func list(_ name: String) -> [String] { (settings[name]?.array ?? []).compactMap(\.string) }
    let (entrypoint, command) = (list("Entrypoint"), list("Cmd"))
    let source = entrypoint.isEmpty || command.isEmpty ? "" : "   (entrypoint + cmd)"
    add("command", (entrypoint + command).map(InspectText.word).joined(separator: " ") + source)
    add("env", list("Env"))
    add("user", settings["User"]?.string)
    add("directory", settings["WorkingDir"]?.string)
    add("ports", (settings["ExposedPorts"]?.object ?? []).map(\.name).joined(separator: " "))
    add("volumes", (settings["Volumes"]?.object ?? []).map(\.name))
    add("labels", configuration.labels.sorted { $0.key.precedesByBytes($1.key) }.map { "\($0.key)=\($0.value)" })
  }

  /// A word of a command line, quoted if it is not one by itself.
  private static func word(_ text: String) -> String {
    text.isEmpty || text.utf8.contains(where: { " \"'\\$`\t\n".utf8.contains($0) }) ? goQuoted(text) : text
  }

  static func container(_ description: ContainerDescription, _ view: StoreView) -> InspectText {
    let container = description.record
    var text = InspectText()
    text.add("container", container.id.rawValue)
    text.add("names", container.names)
    let image = container.image.map { shortID($0.rawValue) }
    text.add("image", [view.imageName(of: container), image].compactMap { $0 }.joined(separator: "  "))
    text.add("owner", view.owner(of: container)?.rawValue)
    text.add("created", container.created, view)
    text.add("state", description.mountPoint.map { "\(description.state) at \($0)" } ?? description.state)
    text.add("size", description.size.map { "\(bytesText($0)) of its own" })
    let parent = view.layers[container.layer]?.record.parent.map { " on \(shortID($0.rawValue))" } ?? ""
    text.add("layer", shortID(container.layer.rawValue) + parent)
    text.add(
      "users", container.idMaps.uids.map { "\($0.containerID) is \($0.hostID) of the host, \($0.size) in a row" })
    text.add(
      "groups", container.idMaps.gids.map { "\($0.containerID) is \($0.hostID) of the host, \($0.size) in a row" })
    return text
  }

  static func layer(_ description: LayerDescription, _ view: StoreView) -> InspectText {
    let (layer, record) = (description.layer, description.layer.record)
    var text = InspectText()
    text.add("layer", layer.id.rawValue)
    text.add("names", record.names)
    text.add("parent", record.parent?.rawValue)
    text.add("created", record.created, view)
    text.add("size", sizeText(description.size))
    text.add("digest", record.diffDigest?.description)
    text.add("place", view.root(of: layer.id).map { layer.isReadOnly ? "\($0), read only" : $0 })
    text.add("state", layer.mountPoint.map { "mounted at \($0)" })
    text.add(
      "used by",
      description.images.map { "image \(view.name(of: $0))" }
        + (description.container.map { ["container \(name(of: $0))"] } ?? [])
        + description.children.map { child in
          // A container's own layer tells nobody anything.
          let container = view.snapshot.containers.first { $0.layer == child }
          return container.map { "container \(name(of: $0))" } ?? "layer \(shortID(child.rawValue))"
        })
    return text
  }
}
