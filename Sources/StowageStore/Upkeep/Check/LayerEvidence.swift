// SPDX-License-Identifier: Apache-2.0

internal import StowageCompression
internal import StowageConfig
internal import StowageDiff
internal import StowageDigest
internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// What became of the file of a big data item.
enum ItemState {
  /// What is in it.
  struct Content {
    let size: Int
    let digest: Digest
    /// Whether it is all NULs, as a power cut can leave files.
    let isBlank: Bool
  }

  case readable(Content)
  case missing
  case unreadable(StorageError)

  /// Reads a file to its end.
  init(of file: FilePath?) {
    guard let file else {
      self = .missing
      return
    }
    do throws(StorageError) {
      let bytes = try StoreFile.read(file)
      self = .readable(
        Content(size: bytes.count, digest: sha256(of: bytes), isBlank: !bytes.isEmpty && bytes.allSatisfy { $0 == 0 }))
    } catch {
      self = error.errno == .noSuchFileOrDirectory ? .missing : .unreadable(error)
    }
  }
}

/// Counts and digests a stream.
final class DigestSink: ByteSink {
  private var hasher = SHA256Hasher()
  private(set) var count: Int64 = 0
  var digest: Digest { hasher.finish() }

  func write(_ bytes: UnsafeRawBufferPointer) {
    hasher.update(bytes)
    count += Int64(bytes.count)
  }

  func finish() {}
}

extension StorageError {
  /// Whether a failure to make an archive shows that the layer is damaged, not that something cannot be read just now.
  var isEvidence: Bool {
    switch code {
    case .corrupt, .invalidArchive, .layerUnknown, .driverLayerUnknown: true
    default: (cause as? Errno) == .noSuchFileOrDirectory || (cause as? Errno) == .notDirectory
    }
  }
}

extension ComparisonLimits {
  /// What the driver's options change in trees.
  init(_ options: StoreOptions) {
    self.init()
    ignoresDevices = isInUserNamespace
    if isInUserNamespace {
      // The kernel's default where it does not tell.
      overflowUser = ComparisonLimits.overflowID("/proc/sys/kernel/overflowuid") ?? 65534
      overflowGroup = ComparisonLimits.overflowID("/proc/sys/kernel/overflowgid") ?? 65534
    }
    for option in options.driverOptions {
      if option.contains("ignore_chown_errors=true") { ignoresOwners = true }
      if option.contains("force_mask=") { (ignoresOwners, ignoresModes) = (true, true) }
    }
    ignoresTimes = options.pullOptions?["use_hard_links"] == "true"
  }

  private static func overflowID(_ file: FilePath) -> UInt32? {
    // A host without the file has the default.
    (try? Syscall.readFile(file)).flatMap { UInt32(String(decoding: $0, as: UTF8.self).filter(\.isNumber)) }
  }
}

extension LayerSubject {
  /// The tar-split file, unless it is damaged: then it says nothing about the tree.
  ///
  /// - Throws: `system`.
  func readableTarSplit() throws(StorageError) -> FilePath? {
    guard let tarSplit else { return nil }
    do throws(StorageError) {
      _ = try LayerHeaders(tarSplit: tarSplit, form: headerForm)
      return tarSplit
    } catch {
      if error.code == .system { throw error }
      return nil
    }
  }

  /// Whether what the layer was made from cannot be made again from what is at hand.
  func isUnreadable(_ form: ForeignForm) -> Bool {
    switch form {
    case .composefs: true
    case .additionalLayer: tarSplit == nil
    }
  }
}
