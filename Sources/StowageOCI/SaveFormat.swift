// SPDX-License-Identifier: Apache-2.0

public import StowageModel

/// The formats that images are saved in; docs/formats/image-archives.md has what each looks like.
public enum SaveFormat: Hashable, Sendable, CaseIterable {
  /// A tar file as `docker save` and `podman save` write it, byte for byte. Holds any number of images; layers are uncompressed.
  case dockerArchive
  /// A tar file of an OCI layout. Holds any number of images.
  case ociArchive
  /// A directory with an OCI layout. Holds any number of images.
  case ociLayout
  /// A flat directory (`dir:`) with one image, whose manifest stays of the kind it is.
  case directory
  /// The same with a Docker manifest.
  case dockerDirectory

  /// What Podman calls the format.
  public var name: String {
    switch self {
    case .dockerArchive: "docker-archive"
    case .ociArchive: "oci-archive"
    case .ociLayout: "oci-dir"
    case .directory: "dir"
    case .dockerDirectory: "docker-dir"
    }
  }

  /// Whether it is a directory instead of a file.
  var isDirectory: Bool {
    switch self {
    case .dockerArchive, .ociArchive: false
    case .ociLayout, .directory, .dockerDirectory: true
    }
  }
}

/// How the layers of saved images are compressed. The same layer gives the same bytes on every machine, with zstd if its library
/// has the same version.
public enum SaveCompression: Hashable, Sendable {
  /// Not at all.
  case none
  /// With gzip.
  case gzip
  /// With Zstandard, whose levels go from 1 to 19.
  case zstd(level: Int = 3)

  var format: Compression {
    switch self {
    case .none: .none
    case .gzip: .gzip
    case .zstd: .zstd
    }
  }
}

/// What may be chosen about saved images.
public struct SaveOptions: Sendable {
  /// How layers are compressed; `nil` for what the format is usually written with: nothing in a docker-archive and in
  /// directories of the `dir:` kind; in OCI formats Zstandard for layers that the image's manifest has so, else gzip.
  public var compression: SaveCompression?
  /// Names to give to the only image instead of that by which it was asked for, in order. Those of a docker-archive have a tag.
  public var names: [String]?

  /// Chooses.
  public init(compression: SaveCompression? = nil, names: [String]? = nil) {
    self.compression = compression
    self.names = names
  }
}

/// Where saved images go to.
public struct ImageTarget: Sendable, CustomStringConvertible {
  enum Place: Sendable {
    case path(String)
    case descriptor(CInt, name: String)
    case closure(@Sendable (UnsafeRawBufferPointer) throws -> Void)
  }

  let place: Place

  /// A file or directory, which is there when it is complete. What is no regular file, a device or FIFO, is written to.
  public static func path(_ path: String) -> ImageTarget { ImageTarget(place: .path(path)) }

  /// An open descriptor, which stays the caller's; not for directories. After a failure part of the archive is written.
  public static func descriptor(_ descriptor: CInt) -> ImageTarget {
    ImageTarget(place: .descriptor(descriptor, name: "descriptor \(descriptor)"))
  }

  /// A closure that is given the archive piece by piece, which waits for it; not for directories. What it throws ends the save, as it
  /// is if it is a `StorageError`.
  public static func pieces(_ take: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void) -> ImageTarget {
    ImageTarget(place: .closure(take))
  }

  /// The standard output of the process.
  public static let standardOutput = ImageTarget(place: .descriptor(1, name: "standard output"))

  /// What to call the target in messages.
  public var description: String {
    switch place {
    case .path(let path): path
    case .descriptor(_, let name): name
    case .closure: "the receiver"
    }
  }
}

/// An image that was saved.
public struct SavedImage: Hashable, Sendable {
  /// The image in the store.
  public let id: ImageID
  /// The names that it was saved with; empty for one that was asked for by its identifier.
  public let names: [String]
  /// The digest of the manifest that was written; that of the image if its manifest could be kept. `nil` for a docker-archive,
  /// which has none.
  public let digest: Digest?
}
