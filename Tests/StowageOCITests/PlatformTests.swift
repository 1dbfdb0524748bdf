// SPDX-License-Identifier: Apache-2.0

import StowageDigest
import StowageImage
import StowageModel
import Testing

@testable import StowageOCI

/// The choice of an image among several (registries 4.5, 12.1).
@Suite("Platforms of images") struct PlatformTests {
  @Test(arguments: [
    ("linux/amd64", "linux/amd64//"), ("arm", "linux/arm/v7/"), ("armel", "linux/arm/v6/"),
    ("linux/arm/v6", "linux/arm/v6/"),
    ("x86_64", "linux/amd64//"), ("windows/aarch64", "windows/arm64//"), ("", "none"), ("a/b/c/d", "none"),
    ("linux/", "none"),
  ])
  func `People write platforms in several ways`(text: String, expected: String) {
    let found = Platform(text: text)
    #expect(found.map { "\($0.os)/\($0.architecture)/\($0.variant)/" } ?? "none" == expected)
  }

  @Test(arguments: [
    ("linux/arm/v7", ["v7", "v6", "v5", ""]), ("linux/arm64/v8", ["v8", ""]), ("linux/arm64", ["", "v8"]),
    ("linux/amd64/v3", ["v3", ""]), ("linux/amd64", [""]),
  ])
  func `Variants are tried in the order of the table`(text: String, expected: [String]) throws {
    let wanted = try #require(Platform(text: text))
    let all = ["", "v1", "v3", "v5", "v6", "v7", "v8"].compactMap { variant in
      wanted.preference(for: Platform(os: "linux", architecture: wanted.architecture, variant: variant)).map {
        ($0, variant)
      }
    }
    #expect(all.sorted { $0.0 < $1.0 }.map(\.1) == expected)
  }

  /// The number of the chosen entry.
  private func choice(_ type: String, _ entries: [String]) throws -> Int {
    let list = entries.enumerated().map { index, text in
      #"{"digest":"sha256:\#(String(repeating: "0", count: 63))\#(index)","size":1\#(text.isEmpty ? "" : ",")\#(text)}"#
    }
    let text = #"{"mediaType":"\#(type)","manifests":[\#(list.joined(separator: ","))]}"#
    let document = try JSONDocument(name: "index", bytes: Array(text.utf8))
    let found = try ImageIndex(document).instance(for: Platform(os: "linux", architecture: "arm", variant: "v7"))
    return try #require(Int(found.digest.hex.suffix(1)))
  }

  @Test func `Of equals in an OCI index zstd is preferred, no platform comes last, attestations and artifacts never`()
    throws
  {
    func arm(_ variant: String) -> String {
      #""platform":{"os":"linux","architecture":"arm","variant":"\#(variant)"}"#
    }
    let zstd = #","annotations":{"io.github.containers.compression.zstd":"true"}"#
    #expect(try choice(MediaType.ociIndex, ["", arm("v6"), arm("v7"), arm("v7") + zstd, arm("v6") + zstd]) == 3)
    #expect(try choice(MediaType.dockerList, ["", arm("v6"), arm("v7"), arm("v7") + zstd]) == 2)
    let unknown = #""platform":{"os":"unknown","architecture":"unknown"}"#
    #expect(try choice(MediaType.ociIndex, [unknown, #""artifactType":"a/b""#, arm("v8"), ""]) == 3)
    let error = #expect(throws: StorageError.self) { _ = try choice(MediaType.dockerList, ["", unknown, arm("v8")]) }
    #expect(error?.message.contains("linux/arm/v7 in the index, which has those for linux/arm/v8") == true)
  }

  /// A layout with images of one layer each, packed.
  private struct Layout {
    var entries: [String] = []
    let scratch = Scratch()

    private func blob(_ text: String) -> (digest: Digest, size: Int) {
      let bytes = Array(text.utf8)
      let digest = sha256(of: bytes)
      _ = scratch.write(bytes, "d/blobs/sha256/\(digest.hex)")
      return (digest, bytes.count)
    }

    init() throws { try shell("mkdir -p \(scratch.path)/d/blobs/sha256") }

    /// Adds an image, or with another type of configuration an artifact.
    @discardableResult
    mutating func add(
      _ architecture: String, _ annotations: String = "", type: String = MediaType.ociConfig, platform: String = ""
    ) -> String {
      let layer = blob("layer \(architecture)")
      let config = blob(
        #"{"os":"linux","architecture":"\#(architecture)","rootfs":{"type":"layers","diff_ids":["\#(layer.digest)"]}}"#)
      let manifest = blob(
        #"{"schemaVersion":2,"config":{"mediaType":"\#(type)","digest":"\#(config.digest)","size":\#(config.size)},"#
          + #""layers":[{"digest":"\#(layer.digest)","size":\#(layer.size)}]}"#)
      entries.append(
        #"{"digest":"\#(manifest.digest)","size":\#(manifest.size),"annotations":{\#(annotations)}\#(platform)}"#)
      return config.digest.hex
    }

    /// The plans, each as image and names.
    func plans(_ platform: String? = nil, manifest: String? = nil) throws -> [String] {
      _ = scratch.write(
        Array(#"{"schemaVersion":2,"manifests":[\#(entries.joined(separator: ","))]}"#.utf8), "d/index.json")
      if let manifest { _ = scratch.write(Array(manifest.utf8), "d/manifest.json") }
      try shell("cd \(scratch.path)/d; tar cf ../a.tar *")
      let input = try ArchiveInput.open(.path("\(scratch.path)/a.tar"))
      return try ImageFormat.plans(of: input, for: platform.flatMap { Platform(text: $0) }).map {
        "\($0.configDigest.hex.prefix(8)) \($0.names.joined(separator: " "))"
      }
    }
  }

  private let name = #""org.opencontainers.image.ref.name":"localhost/multi:1""#
  private let mine = Platform.current.architecture
  private let other = Platform.current.architecture == "amd64" ? "arm64" : "amd64"

  @Test(arguments: [false, true])
  func `One name for several platforms is on this machine's image, whatever the order (box 106)`(isFirst: Bool) throws {
    var layout = try Layout()
    var ids: [String: String] = [:]
    for architecture in isFirst ? [mine, other] : [other, mine] { ids[architecture] = layout.add(architecture, name) }
    #expect(try layout.plans() == ["\(ids[mine]?.prefix(8) ?? "") localhost/multi:1"])
    #expect(try layout.plans("linux/\(other)") == ["\(ids[other]?.prefix(8) ?? "") localhost/multi:1"])
    let error = #expect(throws: StorageError.self) { _ = try layout.plans("linux/s390x") }
    #expect(error?.message.contains("choose one with --platform") == true, "\(error?.message ?? "")")
  }

  @Test func `Artifacts and attestations are passed over, alone they are an error`() throws {
    var layout = try Layout()
    layout.add("none", type: "application/vnd.example.config.v1+json")
    let alone = #expect(throws: StorageError.self) { _ = try layout.plans() }
    #expect(alone?.code == .notSupported)
    layout.add("none", #""vnd.docker.reference.type":"attestation-manifest""#)
    layout.add("none", platform: #","platform":{"os":"unknown","architecture":"unknown"}"#)
    let id = layout.add(mine, name)
    #expect(try layout.plans() == ["\(id.prefix(8)) localhost/multi:1"])
  }

  @Test func `Several images that docker saved keep their full names (podman 25322)`() throws {
    var layout = try Layout()
    let first = layout.add(mine, #""io.containerd.image.name":"docker.io/library/nginx:latest""#)
    let second = layout.add(mine + "x", #""io.containerd.image.name":"docker.io/me/app:v1""#)
    func item(_ id: String, _ architecture: String, _ tag: String) -> String {
      let layer = sha256(of: Array("layer \(architecture)".utf8)).hex
      return #"{"Config":"blobs/sha256/\#(id)","RepoTags":["\#(tag)"],"Layers":["blobs/sha256/\#(layer)"]}"#
    }
    let manifest = "[\(item(first, mine, "nginx:latest")),\(item(second, mine + "x", "me/app:v1"))]"
    #expect(
      try layout.plans(manifest: manifest) == [
        "\(first.prefix(8)) docker.io/library/nginx:latest", "\(second.prefix(8)) docker.io/me/app:v1",
      ])
  }

  @Test func `The digest of a record is that of the list that led to the image`() throws {
    var plan = try #require(try plans(fixture("sample-oci-archive.tar")).first)
    #expect(plan.recordDigest.description == FormatTests.ociManifest)
    let list = sha256(of: [1])
    plan.indexes = [(list, [1])]
    #expect(plan.recordDigest == list)
  }
}
