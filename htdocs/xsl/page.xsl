<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- page.xsl: renders a page document (page.rng) to HTML. The texts are in the catalogues. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">

  <xsl:include href="words.xsl"/>
  <xsl:include href="layout.xsl"/>
  <xsl:include href="fields.xsl"/>
  <xsl:include href="page-sign-in.xsl"/>
  <xsl:include href="page-reset.xsl"/>
  <xsl:include href="page-account.xsl"/>
  <xsl:include href="page-refusal.xsl"/>

  <!-- The HTML standard has this doctype for XSLT. -->
  <xsl:output method="html" encoding="UTF-8" indent="no" doctype-system="about:legacy-compat"/>
  <xsl:strip-space elements="*"/>

</xsl:stylesheet>
