// SPDX-License-Identifier: Apache-2.0

internal import StowageDiff
internal import StowageDriverAPI
internal import StowageFiles
package import StowageModel
internal import StowageSystem
internal import Synchronization
internal import SystemPackage

/// The content of a layer, extracted and verified, whose parent need not be in the store yet.
///
/// Made by ``LayerOperations/prepare(_:diff:expecting:progress:isCancelled:)`` and used up by
/// ``LayerOperations/commit(_:as:)``. What is not committed is deleted with the object; after a crash by the next
/// opener.
package final class PreparedLayer: Sendable {
  fileprivate let content: Mutex<StagedContent?>
  fileprivate let ground: Ground

  /// What the extraction took from the layer below: it must be the same in the parent of the commit.
  fileprivate struct Ground: Equatable {
    let idMaps: IDMaps
    let shift: OwnerShift?
    let mode: UInt32
    let uid: UInt32
    let gid: UInt32
  }

  fileprivate init(_ content: consuming StagedContent, _ ground: Ground) {
    self.content = Mutex(consume content)
    self.ground = ground
  }

  fileprivate func take() -> StagedContent? { content.withLock { $0.take() } }
}

extension LayerOperations {
  /// Whether content can be extracted before the layer's parent exists: not if layers begin as copies of their parents.
  ///
  /// - Throws: what the driver throws when it has to be started again.
  package func canPrepare() throws(StorageError) -> Bool { try !store.drivers.current().traits.copiesParent }

  /// How many layers one can be mounted over; `nil` for any number.
  ///
  /// - Throws: what the driver throws when it has to be started again.
  package func mostLayers() throws(StorageError) -> Int? { try store.drivers.current().traits.mostLayers }

  /// Extracts and verifies a diff without making its layer, so that several layers of an image can be extracted at
  /// once.
  ///
  /// No lock is held meanwhile. Only for drivers that ``canPrepare()``.
  ///
  /// - Parameter request: the layer; its parent is the nearest ancestor that is in the store already.
  /// - Throws: as ``put(_:diff:expecting:progress:isCancelled:)``.
  package func prepare(
    _ request: LayerCreation, diff: LayerInput, expecting: ExpectedDiff = ExpectedDiff(),
    progress: (@Sendable (UInt64) -> Void)? = nil, isCancelled: (@Sendable () -> Bool)? = nil
  ) throws(StorageError) -> PreparedLayer {
    guard try canPrepare() else { throw StorageError(.notSupported, "layers of this driver need their parent") }
    let new = try LayerResolution(store: store, request: request, hasDiff: true).run()
    let ground = try PreparedLayer.Ground(of: new, try store.drivers.current())
    let content = try ContentStaging(store).stage(
      new, DiffRequest(input: diff, expecting: expecting, progress: progress, isCancelled: isCancelled))
    return PreparedLayer(content, ground)
  }

  /// Makes a layer of prepared content, over the parent of `request`, which must be in the store now.
  ///
  /// Whatever the outcome, the content is used up.
  ///
  /// - Throws: as ``put(_:diff:expecting:progress:isCancelled:)``; `busy` if the parent has other ID maps or another
  ///   owner or mode of its root than the ancestor that the content was prepared on: extract it again then.
  package func commit(_ prepared: PreparedLayer, as request: LayerCreation) throws(StorageError) -> PutLayer {
    var content = prepared.take()
    let size = content?.diff?.result?.contentSize ?? -1
    guard content != nil else { throw StorageError(.usage, "prepared content can be committed once") }
    let new = try LayerResolution(store: store, request: request, hasDiff: true).run()
    guard try PreparedLayer.Ground(of: new, try store.drivers.current()) == prepared.ground else {
      throw StorageError(.busy, "content was prepared on a layer unlike its parent", subject: request.parent)
    }
    return PutLayer(layer: try new.commit(&content, in: store), size: size)
  }
}

extension PreparedLayer.Ground {
  /// What a new layer's root takes from its parent. The driver is asked by letting it begin a layer.
  fileprivate init(of new: NewLayer, _ driver: any GraphDriver) throws(StorageError) {
    var options = new.options
    options.shift = nil
    let probe = try driver.stage(over: new.chain, targetRoot: new.location.root, options)
    let tree = probe.tree
    let status = Result { () throws(Errno) in try Syscall.lstat(tree) }
    try probe.discard()
    let found = try attempt("lstat", tree) { () throws(Errno) in try status.get() }
    self.init(
      idMaps: new.options.idMaps, shift: new.options.shift, mode: found.permissions, uid: found.uid, gid: found.gid)
  }
}
