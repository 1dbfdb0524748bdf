// SPDX-License-Identifier: Apache-2.0

import StowageDigest
import StowageImage
import StowageModel
import StowageStore
import StowageTestSupport
import Testing

@testable import StowageOCI

/// Expected values: records that Podman left after loading the same archives, and `tar`.
@Suite("Formats of image archives") struct FormatTests {
  static let imageID = "0152994d106007618f94d78592973b093ec664c76b1078925da99ac5508053f5"
  static let base = "3717ebf6b99829012d72befa3dd65a58ce390345158e1cdaab27f13a799d2d35"
  static let second = "da0b40171b6029ab7c481f14820f69af56d3f3966c397d37f049d608ebb4e431"
  static let topLayer = "b073d9cbf36a9c0d97365140ad56d262bec684d5cc3267d8c2c2d880a0a5a4fa"
  static let dockerManifest = "sha256:0223335d922754cc1b8669bc7795a122e4efba39c049fcc07f60002e95f482d9"
  static let ociManifest = "sha256:8da646fc33ae9d6f3a43cf2e7daf34da6e997134ffeaeb324d8de820e170ee99"

  @Test func `A docker-archive gives the manifest that Podman makes of it`() throws {
    let plan = try #require(try plans(fixture("sample-docker-archive.tar")).first)
    #expect(plan.configDigest.hex == FormatTests.imageID)
    #expect(plan.manifestDigest.description == FormatTests.dockerManifest)
    #expect(plan.manifest.count == 585)
    #expect(plan.names == ["localhost/sample:two"])
    #expect(plan.created?.description == "2020-09-13T12:26:41Z")
    #expect(plan.layers.map { $0.diffID?.hex } == [FormatTests.base, FormatTests.second])
    #expect(plan.layers.map(\.blob.size) == [5120, 3072])
    #expect(plan.metadata == "{}")
    #expect(
      plan.bigData.map(\.key) == [
        "sha256:\(FormatTests.imageID)", "manifest-\(FormatTests.dockerManifest)", "manifest",
      ])
  }

  @Test func `An OCI archive keeps its own manifest`() throws {
    let plan = try #require(try plans(fixture("sample-oci-archive.tar")).first)
    #expect(plan.configDigest.hex == FormatTests.imageID)
    #expect(plan.manifestDigest.description == FormatTests.ociManifest)
    #expect(plan.names == ["localhost/sample:two"])
    #expect(plan.layers.map { $0.diffID?.hex } == [FormatTests.base, FormatTests.second])
    #expect(plan.layers.map(\.blob.size) == [241, 164])
  }

  @Test func `The command layer identifiers are those of the reference`() throws {
    let base = try LayerIdentity.layerID(diffID: try Digest(parsing: "sha256:\(FormatTests.base)"), over: nil)
    #expect(base.rawValue == FormatTests.base)
    let top = try LayerIdentity.layerID(diffID: try Digest(parsing: "sha256:\(FormatTests.second)"), over: base)
    #expect(top.rawValue == FormatTests.topLayer)
  }

  @Test(arguments: ["sample-docker-archive.tar", "sample-oci-archive.tar"], ["gzip", "zstd -q", "xz", "bzip2"])
  func `A compressed archive is the same image`(archive: String, compressor: String) throws {
    let scratch = Scratch()
    try shell("\(compressor) -c < \(fixture(archive)) > \(scratch.path)/a")
    let plan = try #require(try plans("\(scratch.path)/a").first)
    let expected = try #require(try plans(fixture(archive)).first)
    #expect(plan.manifestDigest == expected.manifestDigest)
    #expect(
      try plan.layers.map { try $0.blob.contents(limit: 1 << 20) }
        == expected.layers.map { try $0.blob.contents(limit: 1 << 20) })
  }

  @Test func `Layers compressed one by one are described by their uncompressed size`() throws {
    let scratch = Scratch()
    try shell(
      """
      cd \(scratch.path); mkdir d; tar xf \(fixture("sample-docker-archive.tar")) -C d
      cd d; gzip -n \(FormatTests.base).tar; mv \(FormatTests.base).tar.gz \(FormatTests.base).tar
      tar cf ../a.tar *
      """)
    let plan = try #require(try plans("\(scratch.path)/a.tar").first)
    #expect(plan.manifestDigest.description == FormatTests.dockerManifest)
    #expect(plan.layers[0].blob.size < 5120)
  }

  @Test func `Links to layers are followed`() throws {
    let scratch = Scratch()
    try shell(
      """
      cd \(scratch.path); mkdir d; tar xf \(fixture("sample-docker-archive.tar")) -C d; cd d
      sed -i 's,"\(FormatTests.base).tar","6a162b6b5d8912be3f5722cf55ed1606f2390ced11620ba3384f055a50bbf7a5/layer.tar",' \
        manifest.json
      grep -q layer.tar manifest.json
      tar cf ../a.tar .
      """)
    let plan = try #require(try plans("\(scratch.path)/a.tar").first)
    #expect(sha256(of: try plan.layers[0].blob.contents(limit: 1 << 20)).hex == FormatTests.base)
  }

  @Test func `An OCI layout directory is unnamed`() throws {
    let scratch = Scratch()
    try shell("tar xf \(fixture("sample-oci-archive.tar")) -C \(scratch.path)")
    let plan = try #require(try plans(scratch.path).first)
    #expect(plan.manifestDigest.description == FormatTests.ociManifest)
    #expect(plan.names.isEmpty)
  }

  @Test(.tags(.interop)) func `What Skopeo copies into a directory is read`() throws {
    let scratch = Scratch()
    try shell(
      "skopeo --insecure-policy copy -q oci-archive:\(fixture("sample-oci-archive.tar")) dir:\(scratch.path)/d")
    let plan = try #require(try plans("\(scratch.path)/d").first)
    #expect(plan.configDigest.hex == FormatTests.imageID)
    #expect(plan.manifestDigest.description == FormatTests.ociManifest)
    #expect(plan.names.isEmpty)
  }

  @Test func `An index of indexes gives the instance for this platform and keeps the lists`() throws {
    let scratch = Scratch()
    try shell("tar xf \(fixture("sample-oci-archive.tar")) -C \(scratch.path)")
    func list(_ digest: String, _ size: Int, _ extra: String) -> [UInt8] {
      Array(
        #"""
        {"schemaVersion":2,"manifests":[
        {"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:\#(String(repeating: "0", count: 64))",
         "size":7,"platform":{"os":"plan9","architecture":"amd64"}},
        {"digest":"\#(digest)","size":\#(size)\#(extra)}]}
        """#.utf8)
    }
    let platform =
      #","platform":{"os":"linux","architecture":"\#(Platform.current.architecture)","variant":"\#(Platform.current.variant)"}"#
    let inner = list(FormatTests.ociManifest, 745, platform)
    let digest = sha256(of: inner)
    _ = scratch.write(inner, "blobs/sha256/\(digest.hex)")
    let index = #"{"schemaVersion":2,"manifests":[{"digest":"\#(digest)","size":\#(inner.count)}]}"#
    _ = scratch.write(Array(index.utf8), "index.json")
    let plan = try #require(try plans(scratch.path).first)
    #expect(plan.manifestDigest.description == FormatTests.ociManifest)
    #expect(plan.indexes.map(\.digest) == [digest])
    #expect(
      plan.bigData.map(\.key) == [
        "sha256:\(FormatTests.imageID)", "manifest-\(digest)", "manifest-\(FormatTests.ociManifest)", "manifest",
      ])
  }

  @Test func `All images of an archive are planned, with all their tags`() throws {
    let scratch = Scratch()
    try shell(
      """
      cd \(scratch.path); mkdir d; tar xf \(fixture("sample-docker-archive.tar")) -C d; cd d
      item=$(sed 's/^.//;s/.$//' manifest.json)
      printf '[%s,%s]' "${item/localhost\\/sample:two/a:1\\",\\"b:2}" "${item/\\"localhost\\/sample:two\\"/}" > manifest.json
      tar cf ../a.tar *
      """)
    let plans = try plans("\(scratch.path)/a.tar")
    #expect(plans.map(\.names) == [["localhost/a:1", "localhost/b:2"], []])
    #expect(plans.map(\.configDigest.hex) == [FormatTests.imageID, FormatTests.imageID])
  }

  @Test func `An archive that is both formats and has several images is read as docker-archive`() throws {
    let scratch = Scratch()
    try shell(
      """
      cd \(scratch.path); mkdir d; tar xf \(fixture("sample-docker-archive.tar")) -C d
      tar xf \(fixture("sample-oci-archive.tar")) -C d; cd d; tar cf ../one.tar *
      entry=$(sed 's/.*"manifests":.//;s/..$//' index.json)
      printf '{"schemaVersion":2,"manifests":[%s,%s]}' "$entry" "$entry" > index.json
      tar cf ../two.tar *; rm manifest.json; tar cf ../oci.tar *
      """)
    #expect(try plans("\(scratch.path)/one.tar").map(\.manifestDigest.description) == [FormatTests.ociManifest])
    #expect(try plans("\(scratch.path)/two.tar").map(\.manifestDigest.description) == [FormatTests.dockerManifest])
    #expect(try plans("\(scratch.path)/oci.tar").count == 2)
  }
}
