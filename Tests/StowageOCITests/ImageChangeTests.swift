// SPDX-License-Identifier: Apache-2.0

import StowageImage
import StowageModel
import Testing

@testable import StowageOCI

/// Changes to the configuration of an image, in the words of a Dockerfile.
@Suite("Changes to a configuration") struct ImageChangeTests {
  private func config(_ lines: [String], _ family: ManifestFamily = .oci, over base: String = "{}") throws -> JSONValue
  {
    var draft = try ConfigDraft(
      family, base: (try JSONDocument(name: "base", bytes: Array(base.utf8)), ManifestFamily.oci))
    for line in lines { try draft.apply(ImageChange(line)) }
    let step = ConfigDraft.Step(created: .unset, createdBy: "", author: "", comment: "", message: "")
    let bytes = draft.bytes(
      adding: try Digest(parsing: "sha256:" + String(repeating: "1", count: 64)), step, isAlone: true)
    return try #require(try JSONDocument(name: "new", bytes: bytes).value["config"])
  }

  @Test(arguments: [
    (#"CMD ["a", "b c"]"#, #"{"Cmd":["a","b c"]}"#), ("CMD=/bin/x -v", #"{"Cmd":["/bin/sh","-c","/bin/x -v"]}"#),
    (" entrypoint   [\"/e\"] ", #"{"Entrypoint":["/e"]}"#),
    ("ENV A=1 B='2 3' C=\"4\\\"\"", #"{"Env":["A=1","B=2 3","C=4\""]}"#),
    ("ENV A 1  2", #"{"Env":["A=1  2"]}"#), ("ENV=A=", #"{"Env":["A="]}"#),
    ("LABEL a=b c.d=e=f", #"{"Labels":{"a":"b","c.d":"e=f"}}"#),
    ("EXPOSE 80 53/udp 8000-8010", #"{"ExposedPorts":{"80/tcp":{},"53/udp":{},"8000-8010/tcp":{}}}"#),
    ("USER 5:6", #"{"User":"5:6"}"#), ("WORKDIR /w", #"{"WorkingDir":"/w"}"#), ("WORKDIR w", #"{"WorkingDir":"/w"}"#),
    (#"VOLUME ["/a b"]"#, #"{"Volumes":{"/a b":{}}}"#), ("VOLUME /a /b", #"{"Volumes":{"/a":{},"/b":{}}}"#),
    ("STOPSIGNAL 9", #"{"StopSignal":"9"}"#),
  ])
  func `Each instruction says one thing`(line: String, expected: String) throws {
    #expect(try config([line]) == JSONDocument(name: "e", bytes: Array(expected.utf8)).value, "\(line)")
  }

  @Test(arguments: [
    "", "CMD", "CMD ", "CMD [1]", "CMD [", "RUN x", "FROM scratch", "ENV A", "ENV =1", "LABEL a=b c", "ENV A='x",
    "EXPOSE x", "EXPOSE 0",
    "EXPOSE 80/ftp", "EXPOSE 9-8", "EXPOSE 99999999999999999999", "\u{0}",
  ])
  func `What makes no sense is refused`(line: String) {
    let error = #expect(throws: StorageError.self) { _ = try ImageChange(line) }
    #expect(error?.code == .usage && error?.message.hasPrefix("change ") == true)
  }

  @Test func `Variables and labels that are there are replaced, others stay, and unknown members too`() throws {
    let base = #"{"config":{"Env":["A=1","B=2"],"Labels":{"x":"1"},"Healthcheck":{"Test":["NONE"]},"Cmd":["c"]}}"#
    let changed = try config(["ENV B=3 C=4", "LABEL x=2 y=3"], over: base)
    let expected =
      #"{"Env":["A=1","B=3","C=4"],"Labels":{"x":"2","y":"3"},"Healthcheck":{"Test":["NONE"]},"Cmd":["c"]}"#
    #expect(try changed == JSONDocument(name: "e", bytes: Array(expected.utf8)).value)
  }

  @Test func `What only Docker's images can say is refused for others`() throws {
    #expect(try config(["ONBUILD RUN a", "ONBUILD RUN b"], .docker)["OnBuild"]?.array?.count == 2)
    let error = #expect(throws: StorageError.self) { _ = try config(["ONBUILD RUN a"]) }
    #expect(error?.code == .usage)
  }

  @Test(arguments: [#"{"config":7,"rootfs":"x","history":{}}"#, #"{"config":{"Env":7,"Labels":[]}}"#, "[]"])
  func `A configuration with members of other forms is no reason to stop`(base: String) throws {
    let changed = try config(["ENV A=1", "LABEL a=b"], over: base)
    #expect(changed["Env"]?.array?.count == 1 && changed["Labels"]?.object?.count == 1)
  }
}
