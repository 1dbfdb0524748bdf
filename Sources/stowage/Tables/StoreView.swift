// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// What the listings show: all records, read under one set of locks, and what they say together.
struct StoreView {
  let snapshot: StoreSnapshot
  let sizes: RecordedSizes
  /// What ages are counted to.
  let now: Timestamp
  /// The images, each once: of those with the same identifier the first.
  let images: [ImageInfo]
  /// Layers by identifier.
  let layers: [LayerID: LayerInfo]
  private let owners: [ContainerID: ContainerOwner]
  private let readConfiguration: (ImageRecord) throws(StorageError) -> ImageConfiguration?
  private let graphRoot: String
  private let findRoot: (LayerID) -> String?

  init(_ store: Store) throws(StorageError) {
    let snapshot = try store.snapshot()
    var owners: [ContainerID: ContainerOwner] = [:]
    for container in snapshot.containers { owners[container.id] = store.containers.owner(of: container) }
    self.init(
      snapshot, owners: owners, at: .now(), graphRoot: store.graphRoot,
      // What is not found any more is nowhere.
      root: { try? store.layers.root(of: $0.rawValue) }
    ) { (image) throws(StorageError) in try store.images.configuration(of: image) }
  }

  init(
    _ snapshot: StoreSnapshot, owners: [ContainerID: ContainerOwner], at now: Timestamp, graphRoot: String = "",
    root: @escaping (LayerID) -> String? = { _ in nil },
    configuration: @escaping (ImageRecord) throws(StorageError) -> ImageConfiguration?
  ) {
    self.snapshot = snapshot
    sizes = RecordedSizes(snapshot)
    self.now = now
    var seen: Set<ImageID> = []
    images = snapshot.images.filter { seen.insert($0.id).inserted }
    layers = Dictionary(snapshot.layers.map { ($0.id, $0) }) { first, _ in first }
    self.owners = owners
    readConfiguration = configuration
    self.graphRoot = graphRoot
    findRoot = root
  }

  /// The root of the store that has a layer's tree. It is looked up, so only for what shows it.
  func root(of layer: LayerID) -> String? { findRoot(layer) }

  /// The same, nil for the graph root, which needs no mention.
  func otherRoot(of layer: LayerID) -> String? { findRoot(layer).flatMap { $0 == graphRoot ? nil : $0 } }

  func owner(of container: ContainerRecord) -> ContainerOwner? { owners[container.id] }

  /// The configuration of an image; an empty one if it has none. It is a file, so only for what shows it.
  func configuration(of image: ImageRecord) throws(StorageError) -> ImageConfiguration {
    do throws(StorageError) {
      return try readConfiguration(image) ?? .empty
    } catch {
      // Another process may have deleted the image since the records were read.
      if error.code == .imageUnknown { return .empty }
      throw error
    }
  }

  /// How an image is called where there is place for one name: its first one, or its short identifier.
  func name(of image: ImageRecord) -> String { image.names.first ?? "\(unnamed) \(shortID(image.id.rawValue))" }

  /// The name of the image that a container was made from: the one it was made by, if the image still has it.
  func imageName(of container: ContainerRecord) -> String? {
    guard let id = container.image, let image = images.first(where: { $0.id == id })?.record else { return nil }
    if let used = container.metadataValue?["image-name"]?.string, image.names.contains(used) { return used }
    return image.names.first
  }
}

/// Stands for a name where there is none.
let unnamed = "<none>"

/// How a container is called where there is place for one name.
func name(of container: ContainerRecord) -> String { container.names.first ?? shortID(container.id.rawValue) }

/// A recorded size for a table.
func sizeText(_ bytes: Int64?) -> String { bytes.map { bytesText($0) } ?? "-" }

extension JSONValue {
  /// A text, or null.
  static func optional(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
  /// A number of bytes, or null.
  static func optional(_ bytes: Int64?) -> JSONValue { bytes.map { .integer($0) } ?? .null }
  /// A list of texts.
  static func texts(_ texts: some Sequence<String>) -> JSONValue { .array(texts.map { .string($0) }) }
  /// A time as RFC 3339 in UTC; null for one that was never set.
  static func time(_ time: Timestamp?) -> JSONValue {
    guard let time, time.seconds != Timestamp.unset.seconds else { return .null }
    return .string("\(Timestamp(seconds: time.seconds, nanoseconds: time.nanoseconds))")
  }
  /// Labels and the like.
  static func table(_ values: [String: String]) -> JSONValue {
    .object(values.sorted { $0.key.precedesByBytes($1.key) }.map { .init($0.key, .string($0.value)) })
  }
}
