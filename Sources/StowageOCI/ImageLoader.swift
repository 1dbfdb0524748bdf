// SPDX-License-Identifier: Apache-2.0

import StowageImage
public import StowageModel
public import StowageStore

/// Loads images from archives into a store.
///
/// ```swift
/// let images = try ImageLoader(store).load(from: .path("alpine.tar"))
/// ```
///
/// The records it leaves are those that Podman, Buildah and Skopeo leave for the same archive
/// (chunked-and-composefs 5): each of them sees an image that was pulled normally, and loading it again with any of them
/// changes nothing.
public struct ImageLoader: Sendable {
  /// Losing a race more often than this is no coincidence.
  private static let mostAttempts = 3

  private let store: Store

  /// Makes a loader that puts images into `store`.
  public init(_ store: Store) {
    self.store = store
  }

  /// Loads every image of an archive.
  ///
  /// Manifests, configurations and the presence of all layers are checked before anything is written; layers are
  /// verified while they are extracted; image records are made last. After a failure the images and layers that this
  /// load had made are gone again, apart from layers that something else uses by then.
  ///
  /// - Parameters:
  ///   - source: The archive.
  ///   - name: A name to give instead of the names in the archive. Normalised as those are: `busybox` becomes
  ///     `localhost/busybox:latest`. Only for an archive with one image.
  ///   - platform: `os/architecture[/variant]`: of images for several platforms this one's is loaded, and nothing else. `nil` for
  ///     this machine's, and for all that is there for others only.
  ///   - limit: What the layers may take when they are unpacked, all together; a compressed archive too, when it is.
  ///   - progress: Told about each layer, from several threads.
  /// - Returns: The images in the order of the archive; an image that is in it twice is listed twice.
  /// - Throws: `invalidArchive` if the source is no image archive or contradicts itself, `digestMismatch` if content
  ///   does not have its digest, `invalidReference` for a name that is none, `notSupported` for artifacts, schema 1
  ///   manifests and encrypted layers, `duplicateID` if the store has the image over another top layer, and whatever
  ///   the store throws.
  public func load(
    from source: ImageSource, name: String? = nil, platform: String? = nil, limit: SizeLimit? = nil,
    progress: LoadProgress = .silent
  ) throws(StorageError) -> [LoadedImage] {
    var plans: [ImagePlan]
    do throws(StorageError) {
      plans = try source.selected(
        of: try ImageFormat.plans(
          of: try ArchiveInput.open(source, limit), for: try platform.map(ImageLoader.platform),
          as: source.transport))
      if let name {
        guard plans.count == 1 else {
          throw StorageError(.usage, "a name for an archive with \(plans.count) images")
        }
        plans[0].names = [try ImageName(normalizing: name).description]
      }
      try store.images.requireRecords()
      let most = try store.layers.mostLayers()
      for plan in plans {
        try ImageLoader.checkDigests(in: plan)
        if let most, plan.layers.count > most {
          throw StorageError(
            .notSupported,
            "image \(plan.configDigest.hex) has \(plan.layers.count) layers, of which the driver can mount \(most): "
              + "have it built with fewer layers, or load it with the driver vfs")
        }
      }
    } catch {
      throw error.wrapped("loading \(source)")
    }
    do throws(StorageError) { return try put(plans, limit, progress) } catch {
      throw error.wrapped("loading \(source)")
    }
  }

  /// Puts an image that is not from an archive into the store.
  func put(_ plan: ImagePlan, _ limit: SizeLimit?, _ progress: LoadProgress) throws(StorageError) -> LoadedImage {
    try store.images.requireRecords()
    let made = try put([plan], limit, progress)
    guard let image = made.first else { throw StorageError(.imageUnknown, "no image was made") }
    return image
  }

  private func put(
    _ plans: [ImagePlan], _ limit: SizeLimit?, _ progress: LoadProgress
  ) throws(StorageError) -> [LoadedImage] {
    var attempts = 0
    while true {
      attempts += 1
      do throws(StorageError) {
        return try load(plans, limit, progress)
      } catch {
        // A layer that was there is gone: whoever else was making it has given up. The next attempt makes it.
        let isRace = error.code == .layerUnknown && attempts < ImageLoader.mostAttempts
        guard isRace else { throw error }
      }
    }
  }

  /// Makes layers and records of all images, or nothing.
  private func load(
    _ plans: [ImagePlan], _ limit: SizeLimit?, _ progress: LoadProgress
  ) throws(StorageError) -> [LoadedImage] {
    // What an attempt in vain has unpacked is gone again.
    var transaction = LoadTransaction(store, limit: limit.map { SizeLimit(bytes: $0.bytes) }, progress: progress)
    do throws(StorageError) {
      var tops: [LayerID?] = []
      for (index, plan) in plans.enumerated() { tops.append(try transaction.putLayers(of: plan, image: index)) }
      var images: [LoadedImage] = []
      for (index, plan) in plans.enumerated() {
        images.append(try transaction.record(plan, image: index, top: tops[index]))
      }
      return images
    } catch {
      transaction.rollBack()
      throw error
    }
  }

  private static func platform(_ text: String) throws(StorageError) -> Platform {
    guard let platform = Platform(text: text) else {
      throw StorageError(
        .usage, "\(goQuoted(text)) is no platform: give it as linux/amd64 or linux/arm/v7", subject: text)
    }
    return platform
  }

  /// A name with a digest only fits an image that has it.
  private static func checkDigests(in plan: ImagePlan) throws(StorageError) {
    for name in plan.names {
      guard let digest = try ImageName(normalizing: name).digest, digest != plan.manifestDigest,
        !plan.indexes.contains(where: { $0.digest == digest })
      else { continue }
      throw StorageError(
        .invalidReference, "image name \(goQuoted(name)): the image's manifest has digest \(plan.manifestDigest)")
    }
  }
}
