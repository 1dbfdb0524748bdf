// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

extension StoreTopology {
  /// Whether this graph root was used with an image store and is opened without: what is missing may be there. An
  /// identifier that cannot be read is one.
  var missesImageStore: Bool {
    if roots.imageStore != nil { return false }
    do throws(StorageError) { return try Identity.read(layers.data.identity) != nil } catch { return true }
  }
}

/// Finds what is wrong with images and containers themselves, not with what they are built on.
struct ObjectCheck {
  private let store: Store
  /// Whether layers that are not recorded may be there all the same.
  private let mayMissLayers: Bool
  /// Whether images that are not recorded may be there all the same.
  private let mayMissImages: Bool

  init(_ store: Store, _ losses: RecordLosses) {
    self.store = store
    mayMissLayers = store.topology.missesImageStore || losses.mayHide(.layers)
    mayMissImages = store.topology.missesImageStore || losses.mayHide(.images)
  }

  /// The second phase: what is wrong with an image itself.
  func check(_ image: CheckSnapshot.Image) -> [CheckFinding] {
    let title = (store.imageStores[image.store].isWritable ? "image " : "read-only image ") + image.record.id.rawValue
    let items = Items(
      id: image.record.id.rawValue, directory: store.imageStores[image.store].directory, title: title,
      missing: .imageDataMissing, wrong: .imageDataIncorrectSize, kind: "image")
    var found = items.check(image.record)
    for layer in image.missing {
      let code = StorageError.Code.imageLayerMissing
      found.append(
        CheckFinding(
          code, "\(title): layer \(layer): \(code.text)", mayMissLayers || image.keepsMissing ? .none : .deletion))
    }
    return found
  }

  /// The third phase: what is wrong with a container itself.
  func check(_ container: CheckSnapshot.Container, knownImages: Set<ImageID>) -> [CheckFinding] {
    let record = container.record
    let title = "container \(record.id)"
    let items = Items(
      id: record.id.rawValue, directory: store.topology.containers.directory, title: title,
      missing: .containerDataMissing, wrong: .containerDataIncorrectSize, kind: "container")
    var found = items.check(record)
    if let image = record.image, !knownImages.contains(image) {
      let code = StorageError.Code.containerImageMissing
      let remedy: CheckFinding.Remedy = container.isChainRecorded && !mayMissImages ? .deletion : .none
      found.append(CheckFinding(code, "image \(image): \(code.text)", remedy))
    }
    if !container.isLayerRecorded {
      let code = StorageError.Code.layerMissing
      let text = "\(title): layer \(record.layer): \(code.text)"
      found.append(CheckFinding(code, text, container.hasTree || mayMissLayers ? .none : .deletion))
    }
    return found
  }

  /// The big data items of an object, and what is said of them.
  private struct Items {
    let id: String
    let directory: FilePath
    let title: String
    let missing: StorageError.Code
    let wrong: StorageError.Code
    let kind: String

    func check(_ record: some BigDataRecord) -> [CheckFinding] {
      record.bigDataNames.compactMap { key in
        let title = "\(title): data item \(goQuoted(key))"
        // A key without file name has no file.
        switch ItemState(of: try? BigDataFiles.path(key, of: id, in: directory, kind: kind)) {
        case .missing: return CheckFinding(missing, "\(title): \(missing.text)")
        case .unreadable(let error): return CheckFinding(.system, "\(title): \(error.message)", .none)
        case .readable(let content):
          guard Int64(content.size) == record.bigDataSizes[key] ?? 0 else {
            return CheckFinding(wrong, "\(title): \(wrong.text)")
          }
          // The digest of a manifest of the first kind is not that of its bytes.
          guard let digest = record.bigDataDigests[key], digest.algorithm == "sha256", digest != content.digest,
            content.isBlank || !key.hasPrefix("manifest")
          else { return nil }
          // Loading or pulling the image again heals it, and a container's data are worth more than an item.
          let reason = content.isBlank ? "is full of NULs" : "does not have the digest that is recorded"
          return CheckFinding(.corrupt, "\(title): \(reason)", .none)
        }
      }
    }
  }
}
