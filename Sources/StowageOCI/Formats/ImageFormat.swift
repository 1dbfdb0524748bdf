// SPDX-License-Identifier: Apache-2.0

import StowageCompression
import StowageModel

/// Finds out what a source is and plans its images.
///
/// Podman tries OCI directory, OCI archive, docker-archive and `dir:` in this order until one succeeds. Looking first
/// ends with the same result and with one message instead of four (chunked-and-composefs 5.8).
enum ImageFormat {
  /// Plans all images of an input.
  ///
  /// - Throws: `invalidArchive` if it is in none of the formats.
  static func plans(of input: ArchiveInput) throws(StorageError) -> [ImagePlan] {
    switch input {
    case .directory(let container): try plans(ofDirectory: container)
    case .file(let file): try plans(ofFile: file)
    }
  }

  private static func plans(ofDirectory container: DirectoryContainer) throws(StorageError) -> [ImagePlan] {
    if let layout = try OCILayout(container, usesAnnotations: false) { return try layout.plans() }
    if let image = try DirectoryImage(container) { return try image.plans() }
    throw unsupported([
      ("oci", "no index.json"), ("dir", "no manifest.json with an image manifest"),
    ])
  }

  private static func plans(ofFile file: InputFile) throws(StorageError) -> [ImagePlan] {
    let index: TarIndex
    do throws(ArchiveError) {
      index = try TarIndex(file)
    } catch {
      guard error.kind != .system else { throw StorageError(.system, "\(error)", cause: error) }
      throw unsupported([("oci-archive", error.message), ("docker-archive", error.message)])
    }
    let layout = Result { () throws(StorageError) in
      try OCILayout(TarContainer(file, index, rules: .unpacked), usesAnnotations: true)
    }
    let archive = Result { () throws(StorageError) in
      try DockerArchive(TarContainer(file, index, rules: .dockerArchive))
    }
    switch (layout, archive) {
    case (.success(let layout?), .success(let archive?)): return try plans(of: layout, or: archive)
    case (.success(let layout?), _): return try layout.plans()
    case (_, .success(let archive?)): return try archive.plans()
    case (.success(nil), .success(nil)):
      throw unsupported([
        ("oci-archive", "no index.json"), ("docker-archive", "no manifest.json with a list of images"),
      ])
    case (.failure(let error), _), (_, .failure(let error)): throw error
    }
  }

  /// Plans an archive that is both, as new versions of Docker save them.
  ///
  /// With one image the OCI side counts. Podman refuses an OCI archive with several and goes on to the docker-archive, and
  /// so it does after any failure.
  private static func plans(of layout: OCILayout, or archive: DockerArchive) throws(StorageError) -> [ImagePlan] {
    let failure: StorageError
    do throws(StorageError) {
      if try layout.entries().count > 1 { return try archive.plans() }
      return try layout.plans()
    } catch {
      failure = error
    }
    do throws(StorageError) { return try archive.plans() } catch { throw failure }
  }

  private static func unsupported(_ reasons: [(transport: String, reason: String)]) -> StorageError {
    let lines = reasons.map { "\n * \($0.transport): \($0.reason)" }.joined()
    return StorageError(.invalidArchive, "payload does not match any of the supported image formats:\(lines)")
  }
}
