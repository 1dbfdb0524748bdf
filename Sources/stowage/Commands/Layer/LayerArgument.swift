// SPDX-License-Identifier: Apache-2.0
import StowageModel
import StowageStore

/// How verbs that read find the layer that an argument means: by the exact name of a layer; as `stowage` also by the name, short
/// name or beginning of the ID of a container or an image. Verbs that delete take exact names only.
extension CommandContext {
  /// The layer.
  ///
  /// - Throws: as `stowage` what is unknown or ambiguous; else nothing, since the store says it.
  func layer(_ argument: String) throws(StorageError) -> String {
    switch face {
    case .reference: argument
    case .stowage: try store.snapshot().layer(named: argument, searched: configuredNames).rawValue
    }
  }

  /// What an argument of `copy` means: what stands before a colon names a layer, what stands behind it is a path in there.
  ///
  /// Names of images have colons themselves, so that as `stowage` the longest part before `:/` that names something counts.
  ///
  /// - Parameter isTarget: whether it is written to: an image is not.
  func place(_ argument: String, isTarget: Bool) throws(StorageError) -> CopyPlace {
    let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    if parts.count < 2 { return .host(argument) }
    guard face == .stowage else { return .layer(String(parts[0]), path: String(parts[1])) }
    let kinds: [StoredObject.Kind] = isTarget ? [.layer, .container] : [.layer, .container, .image]
    let records = try store.snapshot()
    for end in argument.indices.reversed() where argument[end...].hasPrefix(":/") {
      let name = String(argument[..<end])
      do throws(StorageError) {
        let path = String(argument[argument.index(after: end)...])
        let object = try records.object(named: name, among: kinds, searched: configuredNames)
        return .layer(try records.layer(of: object, name), path: path)
      } catch {
        // A shorter part may name something.
        if error.code == .ambiguous || error.code == .configuration { throw error }
      }
    }
    let object = try records.object(named: String(parts[0]), among: kinds, searched: configuredNames)
    return .layer(try records.layer(of: object, String(parts[0])), path: String(parts[1]))
  }
}

extension StoreSnapshot {
  fileprivate func layer(of object: StoredObject, _ name: String) throws(StorageError) -> String {
    switch object {
    case .layer(let layer): layer.id.rawValue
    case .container(let container): container.layer.rawValue
    case .image: try layer(named: name, searched: configuredNames).rawValue
    }
  }
}
