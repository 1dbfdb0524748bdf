// SPDX-License-Identifier: Apache-2.0

import StowageCompression
import StowageImage
import StowageModel

/// Finds out what a source is and plans its images.
///
/// Podman tries OCI directory, OCI archive, docker-archive and `dir:` in this order until one succeeds. Looking first
/// ends with the same result and with one message instead of four (chunked-and-composefs 5.8).
enum ImageFormat {
  /// Plans all images of an input.
  ///
  /// - Parameters:
  ///   - wanted: only images for this platform; `nil` for all, of which this machine's are preferred.
  ///   - transport: what it has to be; `nil` for whatever it is.
  /// - Throws: `invalidArchive` if it is in none of the formats, or has no image for the platform.
  static func plans(
    of input: ArchiveInput, for wanted: Platform? = nil, as transport: ImageSource.Transport? = nil
  ) throws(StorageError) -> [ImagePlan] {
    let platform = wanted ?? .current
    let plans =
      switch input {
      case .directory(let container): try plans(ofDirectory: container, platform, transport)
      case .file(let file): try plans(ofFile: file, platform, transport)
      }
    guard let wanted else {
      for plan in plans where plan.platform.isGiven && platform.preference(for: plan.platform) == nil {
        Log.warning("image platform (\(plan.platform)) does not match the expected platform (\(platform))")
      }
      return plans
    }
    let fitting = plans.filter { !$0.platform.isGiven || wanted.preference(for: $0.platform) != nil }
    guard fitting.isEmpty else { return fitting }
    throw StorageError(
      .invalidArchive,
      "no image for platform \(wanted) in the archive, which has those for "
        + plans.map(\.platform.description).joined(separator: ", "))
  }

  private static func plans(
    ofDirectory container: DirectoryContainer, _ platform: Platform, _ transport: ImageSource.Transport?
  ) throws(StorageError) -> [ImagePlan] {
    let reasons: [(ImageSource.Transport, String)] = [
      (.oci, "no index.json"), (.dir, "no manifest.json with an image manifest"),
      (.dockerArchive, "it is a directory"), (.ociArchive, "it is a directory"),
    ]
    if transport == .dockerArchive || transport == .ociArchive { throw unsupported(reasons, transport) }
    // Who names the layout may name an image of it.
    if transport != .dir, let layout = try OCILayout(container, usesAnnotations: transport == .oci) {
      return try layout.plans(for: platform)
    }
    if transport != .oci, let image = try DirectoryImage(container) { return try image.plans(for: platform) }
    throw unsupported(reasons, transport)
  }

  private static func plans(
    ofFile file: InputFile, _ platform: Platform, _ transport: ImageSource.Transport?
  ) throws(StorageError) -> [ImagePlan] {
    if transport == .oci || transport == .dir {
      throw unsupported([(.oci, "it is no directory"), (.dir, "it is no directory")], transport)
    }
    let index: TarIndex
    do throws(ArchiveError) {
      index = try TarIndex(file)
    } catch {
      guard error.kind != .system else { throw StorageError(.system, "\(error)", cause: error) }
      throw unsupported([(.ociArchive, error.message), (.dockerArchive, error.message)], transport)
    }
    let layout = Result { () throws(StorageError) in
      transport == .dockerArchive
        ? nil : try OCILayout(TarContainer(file, index, rules: .unpacked), usesAnnotations: true)
    }
    let archive = Result { () throws(StorageError) in
      transport == .ociArchive
        ? nil : try DockerArchive(TarContainer(file, index, rules: .dockerArchive))
    }
    switch (layout, archive) {
    case (.success(let layout?), .success(let archive?)): return try plans(of: layout, or: archive, platform)
    case (.success(let layout?), _): return try layout.plans(for: platform)
    case (_, .success(let archive?)): return try archive.plans()
    case (.success(nil), .success(nil)):
      throw unsupported(
        [(.ociArchive, "no index.json"), (.dockerArchive, "no manifest.json with a list of images")], transport)
    case (.failure(let error), _), (_, .failure(let error)): throw error
    }
  }

  /// Plans an archive that is both, as new versions of Docker save them.
  ///
  /// With one image the OCI side counts. Podman refuses an OCI archive with several and goes on to the docker-archive, and
  /// so it does after any failure. Full names are on the OCI side only, and count for both.
  private static func plans(
    of layout: OCILayout, or archive: DockerArchive, _ platform: Platform
  ) throws(StorageError) -> [ImagePlan] {
    let failure: StorageError
    do throws(StorageError) {
      let named = try layout.plans(for: platform)
      guard named.count > 1 else { return named }
      return try archive.plans().map { named.name($0) }
    } catch {
      failure = error
    }
    do throws(StorageError) { return try archive.plans() } catch { throw failure }
  }

  /// - Parameter wanted: the transport that was named: only its reason counts.
  private static func unsupported(
    _ reasons: [(transport: ImageSource.Transport, reason: String)], _ wanted: ImageSource.Transport?
  ) -> StorageError {
    if let wanted {
      let reason = reasons.first { $0.transport == wanted }?.reason ?? "it is something else"
      return StorageError(.invalidArchive, "no \(wanted.rawValue): \(reason)")
    }
    let kinds: [ImageSource.Transport] =
      reasons.contains { $0.transport == .oci } ? [.oci, .dir] : [.ociArchive, .dockerArchive]
    let lines = reasons.filter { kinds.contains($0.transport) }.map { "\n * \($0.transport.rawValue): \($0.reason)" }
      .joined()
    return StorageError(.invalidArchive, "payload does not match any of the supported image formats:\(lines)")
  }
}

extension [ImagePlan] {
  /// A plan whose short names are replaced by those that the same image has here, where one is the other with a registry.
  fileprivate func name(_ plan: ImagePlan) -> ImagePlan {
    let full = filter { $0.configDigest == plan.configDigest }.flatMap(\.names)
    var plan = plan
    let short = plan.names.map { $0.hasPrefix("localhost/") ? String($0.dropFirst("localhost".utf8.count)) : $0 }
    plan.names = zip(plan.names, short).map { name, short in full.first { $0.hasSuffix(short) } ?? name }
    return plan
  }
}
