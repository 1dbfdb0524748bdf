// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
public import StowageModel
internal import StowageRecords

/// The right to change parts of a store: their locks are held exclusively, their records are fresh and repaired.
///
/// Lent by ``Store/write(_:reading:_:)``. Asking for a part that the access does not cover is a programmer's fault, and traps.
public struct StoreWriting: ~Copyable {
  /// The right to read: all that may be changed, and what else the access covers.
  public let reading: StoreReading
  /// What goes when the locks are released.
  let bins: RemovalBins

  var store: Store { reading.store }
  var held: HeldParts { reading.held }

  // MARK: Changes

  /// Gives a layer, image or container exactly these names, looked for in this order among the parts that may be changed.
  /// Names of other objects of its kind are taken away from these.
  ///
  /// - Returns: the names it has now, without repeats.
  /// - Throws: `layerUnknown` if there is no such object; `system`.
  @discardableResult
  public func setNames(_ names: [String], of nameOrID: String) throws(StorageError) -> [String] {
    if let names = try rename(nameOrID, .set(names)) { return names }
    throw StorageError(.layerUnknown, subject: nameOrID)
  }

  /// Replaces the metadata of a layer, image or container of this store, looked for in this order among the parts that may
  /// be changed.
  ///
  /// - Throws: `notAnID` if there is no such object that can be changed; `system`.
  public func setMetadata(_ metadata: String, of nameOrID: String) throws(StorageError) {
    if try !changeMetadata(of: nameOrID, metadata) { throw StorageError(.notAnID, subject: nameOrID) }
  }

  var changesLayers: Bool { held.layers?.records.writes == true }
  var changesImages: Bool { held.images?.writes == true }
  var changesContainers: Bool { held.containers?.writes == true }

  // MARK: Tokens

  /// The right to change layers of the primary store.
  var layers: LayersWriting {
    guard let hold = held.layers else { preconditionFailure("this access does not cover layers") }
    return hold.writing
  }

  /// The right to change images.
  var images: ImagesWriting {
    guard let hold = held.images else { preconditionFailure("this access does not cover images") }
    return ImagesWriting(hold)
  }

  /// The right to change containers.
  var containers: RecordsWriting<ContainerRecord> {
    guard let hold = held.containers else { preconditionFailure("this access does not cover containers") }
    return hold.writing()
  }

  /// The driver, which nobody shuts down meanwhile.
  var driver: DriverHold {
    guard let hold = held.driver else { preconditionFailure("this access does not cover the driver") }
    return hold
  }
}
