// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
public import StowageModel
internal import StowageRecords

/// The right to read parts of a store: their locks are held, their records are fresh. All answers are of one moment.
///
/// Lent by ``Store/read(_:_:)``. Asking for a part that the access does not cover is a programmer's fault, and traps.
public struct StoreReading: ~Copyable {
  let store: Store
  let held: HeldParts

  // MARK: Records

  /// All layers: primary store, then additional image stores; not de-duplicated.
  public func listLayers() -> [LayerInfo] { layers.list() }

  /// A layer by identifier, name or unique identifier prefix; nil if there is none.
  public func layer(_ nameOrID: String) -> LayerInfo? {
    let layers = layers
    return layers.find(nameOrID).map { layers.info($0) }
  }

  /// All images: primary store, then others in search order; not de-duplicated.
  public func listImages() -> [ImageInfo] { images.infos }

  /// An image by identifier, name or unique identifier prefix; nil if there is none.
  public func image(_ nameOrID: String) -> ImageInfo? {
    let images = images
    return images.find(nameOrID).map { images.info($0.record, $0.store) }
  }

  /// All containers, stable ones first.
  public func listContainers() -> [ContainerRecord] { containers.records }

  /// A container by identifier, name, identifier of its layer or unique identifier prefix; nil if there is none.
  public func container(_ nameOrID: String) -> ContainerRecord? { containers.container(nameOrID) }

  // MARK: Tokens

  /// The right to read layers.
  var layers: LayersReading {
    guard let hold = held.layers else { preconditionFailure("this access does not cover layers") }
    return hold.reading
  }

  /// All images.
  var images: ImagesView {
    guard let hold = held.images else { preconditionFailure("this access does not cover images") }
    return ImagesView(hold)
  }

  /// The right to read containers.
  var containers: RecordsReading<ContainerRecord> {
    guard let hold = held.containers else { preconditionFailure("this access does not cover containers") }
    return hold.reading()
  }
}
