<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- mail-words.xsl: the sentences of a mail, for its text part and its HTML part. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns:m="urn:mod_esign:text" exclude-result-prefixes="m">

  <xsl:include href="words.xsl"/>

  <!-- The key of the catalogue's text: mail.reset, or mail.EVENT of a notice. -->
  <xsl:template match="message" mode="key">
    <xsl:value-of select="concat('mail.', @name)"/>
  </xsl:template>
  <xsl:template match="message[event]" mode="key">
    <xsl:value-of select="concat('mail.', event/@name)"/>
  </xsl:template>

  <xsl:template match="message" mode="what">
    <xsl:variable name="key"><xsl:apply-templates select="." mode="key"/></xsl:variable>
    <xsl:value-of select="m:text(string($key))"/>
  </xsl:template>

  <xsl:template match="message" mode="otherwise">
    <xsl:variable name="key"><xsl:apply-templates select="." mode="key"/></xsl:variable>
    <xsl:value-of select="m:text(concat($key, '.otherwise'), string(@organization))"/>
  </xsl:template>

  <xsl:template match="life" mode="life">
    <xsl:variable name="life">
      <xsl:call-template name="counted">
        <xsl:with-param name="key" select="'duration.minutes'"/>
        <xsl:with-param name="count" select="@minutes"/>
      </xsl:call-template>
    </xsl:variable>
    <xsl:value-of select="m:text('mail.reset.life', string($life))"/>
  </xsl:template>

</xsl:stylesheet>
